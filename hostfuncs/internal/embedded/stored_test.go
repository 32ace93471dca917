package embedded

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// storedIn writes an OCI layout.
func storedIn(t testing.TB, index v1.ImageIndex) image.Stored {
	t.Helper()
	dir := imagetest.Dir(t)
	if _, err := layout.Write(dir, index); err != nil {
		t.Fatal(err)
	}
	return findStored(t, dir)
}

func findStored(t testing.TB, dir string) image.Stored {
	t.Helper()
	stored, err := image.FindStored(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// storedBase is a layout with an image that has a file.
func storedBase(t testing.TB) image.Stored {
	t.Helper()
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /base/\nENV A=1\n", "a": "a"})
	dir := filepath.Join(imagetest.Dir(t), "layout")
	if err := writeLayout(mustBuild(t, b, options(t, b)), dir, nil); err != nil {
		t.Fatal(err)
	}
	return findStored(t, dir)
}

func TestBuildFromALayout(t *testing.T) {
	stored := storedBase(t)
	b := aBuild(t, map[string]string{"Dockerfile": "FROM a.test/base\nCOPY --from=a.test/base:latest /base/a /b\nLABEL a=$A\n"})
	o := options(t, b)
	o.Base = FromStored(map[string]image.Stored{"a.test/base:latest": stored}, nil)
	built := mustBuild(t, b, o)
	files := savedImage(t, built).files()
	if files["base/a"].Text != "a" || files["b"].Text != "a" || built.Config.Config.Labels["a"] != "1" {
		t.Errorf("files %v, settings %+v", files, built.Config.Config)
	}
	if got := built.Bases["a.test/base:latest"]; got != stored.Digest.String() {
		t.Errorf("the base's digest is %q, want %s", got, stored.Digest)
	}
	b = aBuild(t, map[string]string{"Dockerfile": "FROM b.test/base\n"})
	o.Text = options(t, b).Text
	if _, err := Build(t.Context(), b, o); err == nil || !strings.Contains(err.Error(), "b.test/base:latest") {
		t.Errorf("another image: %v", err)
	}
}

// TestStoredIsWhatItIsCalled changes each blob of a layout in turn, and wants no
// image of it: neither of one that needs what is in the layers, nor of one that
// only takes them along.
func TestStoredIsWhatItIsCalled(t *testing.T) {
	whole := storedBase(t)
	blobs, err := os.ReadDir(filepath.Join(whole.Dir, "blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	if len(blobs) != 3 {
		t.Fatalf("the layout has %v", blobs)
	}
	for _, text := range []string{"FROM a.test/base\nLABEL a=b\n", "FROM a.test/base\nCOPY --from=a.test/base /base/a /b\n"} {
		for _, blob := range blobs {
			dir := imagetest.Dir(t)
			if err := os.CopyFS(dir, os.DirFS(whole.Dir)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "blobs", "sha256", blob.Name())
			was, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			now := bytes.Replace(was, []byte(`"A=1"`), []byte(`"A=2"`), 1)
			switch {
			case !bytes.Equal(was, now):
			case now[0] == '{':
				now = append(now, '\n')
			default:
				now[len(now)-1] ^= 1
			}
			if err := os.WriteFile(file, now, 0o600); err != nil {
				t.Fatal(err)
			}
			b := aBuild(t, map[string]string{"Dockerfile": text})
			o := options(t, b)
			o.Base = FromStored(map[string]image.Stored{"a.test/base:latest": findStored(t, dir)}, nil)
			built, err := Build(t.Context(), b, o)
			if err == nil {
				err = writeLayout(built, filepath.Join(imagetest.Dir(t), "out"), nil)
				built.Close()
			}
			if err == nil {
				t.Errorf("%q was built with a blob that was\n%.300s\nand is\n%.300s", text, was, now)
			}
		}
	}
}

// TestStoredIsSearchedInBounds has indexes that name each other many times over.
func TestStoredIsSearchedInBounds(t *testing.T) {
	dir := imagetest.Dir(t)
	index := `{"manifests":[]}`
	for range 4 {
		digest := digest.FromString(index)
		imagetest.Write(t, dir, map[string]string{"blobs/sha256/" + digest.Encoded(): index})
		one := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, types.OCIImageIndex, digest, len(index))
		index = `{"manifests":[` + strings.Repeat(one+",", 39) + one + `]}`
	}
	imagetest.Write(t, dir, map[string]string{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`, "index.json": index})
	stored := findStored(t, dir)
	b := aBuild(t, map[string]string{"Dockerfile": "FROM a.test/base\n"})
	o := options(t, b)
	o.Base = FromStored(map[string]image.Stored{"a.test/base:latest": stored}, nil)
	if _, err := Build(t.Context(), b, o); err == nil || !strings.Contains(err.Error(), "it has more than 1000 manifests") {
		t.Errorf("got %v", err)
	}
}
