package embedded

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

const reproducible = `FROM scratch AS a
COPY . /src/
ADD x.tar /x/
FROM scratch
WORKDIR /app
COPY --from=a --chown=5 /src/d /x /app/
COPY a <<E /
text
E
LABEL b=1 a=2 c=3
ENV A=1
`

// checkout makes the same context as another day, person or machine would.
func checkout(t *testing.T, reverse bool, mode os.FileMode, when time.Time) image.Build {
	t.Helper()
	b := aBuild(t, map[string]string{"Dockerfile": reproducible})
	names := []string{"a", "b/c", "d/e", "d/f/g", "h"}
	if reverse {
		slices.Reverse(names)
	}
	for _, name := range names {
		imagetest.Write(t, b.Context, map[string]string{name: "contents of " + name + strings.Repeat("x", 70000)})
	}
	if err := os.Chmod(filepath.Join(b.Context, "h"), 0o755); err != nil {
		t.Fatal(err)
	}
	directory := filepath.Join(b.Context, "archived")
	imagetest.Write(t, directory, map[string]string{"one": "1", "two/three": "3"})
	for name, mode := range map[string]os.FileMode{"one": 0o644, "two": 0o755, "two/three": 0o644} {
		path, fixed := filepath.Join(directory, filepath.FromSlash(name)), time.Unix(1e9, 0)
		if err := cmp.Or(os.Chmod(path, mode), os.Chtimes(path, fixed, fixed)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeArchive(filepath.Join(b.Context, "x.tar"), directory, false); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(b.Context, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if err := os.Chmod(path, info.Mode()&mode); err != nil {
			return err
		}
		return os.Chtimes(path, when, when)
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// outcome is all by which an image is known.
type outcome struct {
	ID, Digest string
	Tar        []byte
}

func outcomeOf(t *testing.T, b image.Build, o Options) outcome {
	t.Helper()
	built := mustBuild(t, b, o)
	digest, err := built.Digest()
	if err != nil {
		t.Fatal(err)
	}
	var tar bytes.Buffer
	if err := built.WriteTar(&tar, nil); err != nil {
		t.Fatal(err)
	}
	return outcome{built.ConfigDigest, digest, tar.Bytes()}
}

func TestBuildIsReproducible(t *testing.T) {
	first := checkout(t, false, 0o777, time.Now())
	want := outcomeOf(t, first, options(t, first))
	for name, b := range map[string]image.Build{
		"another day":   checkout(t, false, 0o777, time.Unix(1, 0)),
		"another order": checkout(t, true, 0o777, time.Now()),
		"another umask": checkout(t, true, 0o700, time.Now()),
	} {
		if got := outcomeOf(t, b, options(t, b)); !gocmp.Equal(got, want) {
			t.Errorf("%s: %s %s, want %s %s", name, got.ID, got.Digest, want.ID, want.Digest)
		}
	}
	// The number of processors has no part in what is compressed.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(7))
	if got := outcomeOf(t, first, options(t, first)); !gocmp.Equal(got, want) {
		t.Errorf("with 7 processors: %s, want %s", got.Digest, want.Digest)
	}
	// And it is not a constant.
	imagetest.Write(t, first.Context, map[string]string{"d/e": "other"})
	if got := outcomeOf(t, first, options(t, first)); got.ID == want.ID || got.Digest == want.Digest {
		t.Error("another file makes the same image")
	}
}

// TestReproducibleDigest compares the digest itself: one that changes is an image
// that changes for everybody.
func TestReproducibleDigest(t *testing.T) {
	b := checkout(t, false, 0o777, time.Now())
	const id = "sha256:7d2707b45fae61475d0f1c22fee91cb81d0cec887df331ae83643d69358d5aa2"
	if got := mustBuild(t, b, options(t, b)).ConfigDigest; got != id {
		t.Errorf("the image is %s, and was %s", got, id)
	}
}

func TestBuildTimes(t *testing.T) {
	b := checkout(t, false, 0o777, time.Now())
	epoch := time.Unix(5e8, 0)
	for _, tt := range []struct {
		name        string
		change      func(*image.Build, *Options)
		own, others int64 // of what is in the archive, and of all else
	}{
		{"none", func(*image.Build, *Options) {}, 1e9, 0},
		{"an argument", func(b *image.Build, _ *Options) { b.Args = map[string]string{"SOURCE_DATE_EPOCH": "2000000000"} }, 1e9, 2e9},
		{"an ARG's default", func(_ *image.Build, o *Options) {
			o.Text = append([]byte("ARG SOURCE_DATE_EPOCH=5\n"), o.Text...)
		}, 5, 5},
		{"an earlier one", func(_ *image.Build, o *Options) { o.Epoch = &epoch }, 5e8, 5e8},
		{"both", func(b *image.Build, o *Options) {
			b.Args, o.Epoch = map[string]string{"SOURCE_DATE_EPOCH": "2"}, &epoch
		}, 5e8, 5e8},
	} {
		b, o := b, options(t, b)
		tt.change(&b, &o)
		built := mustBuild(t, b, o)
		s := savedImage(t, built)
		for _, layer := range s.layers {
			for name, f := range layer {
				want := tt.others
				if name == "app/one" || name == "app/two/" || name == "app/two/three" {
					want = tt.own
				}
				if got := f.ModTime.Unix(); got != want {
					t.Errorf("%s: %s has the time %d, want %d", tt.name, name, got, want)
				}
			}
		}
		if got := built.Config.Created.Unix(); got != tt.others {
			t.Errorf("%s: created at %d, want %d", tt.name, got, tt.others)
		}
	}
	o := options(t, b)
	b.Args = map[string]string{"SOURCE_DATE_EPOCH": "-1"}
	if _, err := Build(t.Context(), b, o); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("got %v", err)
	}
}

// TestLayerOrder wants directories before what is in them, and names in order.
func TestLayerOrder(t *testing.T) {
	b := checkout(t, false, 0o777, time.Now())
	s := savedImage(t, mustBuild(t, b, options(t, b)))
	want := []string{"app/", "app/e", "app/f/", "app/f/g", "app/one", "app/two/", "app/two/three"}
	if diff := gocmp.Diff(want, s.names[1]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
