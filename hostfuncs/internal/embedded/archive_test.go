package embedded

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestBombs has archives and layers that come to more than a build may unpack,
// by one and together.
func TestBombs(t *testing.T) {
	small := imagetest.Bomb(t, "zstd", 160)
	for _, tt := range []struct {
		name, text string
		files      map[string][]byte
		want       string
	}{
		{"two together", "FROM scratch\nADD x /a/\nADD y /b/\n", map[string][]byte{"x": small, "y": small}, "Dockerfile:3: /y: it unpacks to more"},
		{"a base image", "FROM a\nCOPY Dockerfile /\nCOPY --from=a /zeros /\n", nil, "Dockerfile:2: docker.io/library/a:latest: layer sha256:"},
		{"headers without a file", "FROM scratch\nADD x /\n", map[string][]byte{"x": endlessHead(t)}, "Dockerfile:2: /x: it has more than 16 MiB before its first file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := aBuild(t, map[string]string{"Dockerfile": tt.text})
			for name, data := range tt.files {
				write(t, filepath.Join(b.Context, name), data)
			}
			o := options(t, b)
			o.Base = imageOf(t, imagetest.Bomb(t, "zstd", 320))
			_, err := Build(t.Context(), b, o)
			if _, ok := errors.AsType[*dockerfile.Error](err); !ok || !strings.HasPrefix(err.Error(), tt.want) || strings.HasSuffix(err.Error(), "…") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// endlessHead is a packed archive of headers about headers.
func endlessHead(t *testing.T) []byte {
	t.Helper()
	head := imagetest.Sparse(t, "x", 1<<20)[:1024]
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for range headLimit/len(head) + 1 {
		if _, err := w.Write(head); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// TestExpandWritesNoMore looks at what is on the disk when the limit is reached,
// and when all is just below it.
func TestExpandWritesNoMore(t *testing.T) {
	const whole = 512 + 3<<20 // of Bomb with 3 MiB
	for name, tt := range map[string]struct {
		packed []byte
		limit  int64
		want   error
	}{
		"all of it":       {imagetest.Bomb(t, "gzip", 3), whole, nil},
		"a byte too much": {imagetest.Bomb(t, "gzip", 3), whole - 1, errExpands},
		"gzip":            {imagetest.Bomb(t, "gzip", 320), 5 << 20, errExpands},
		"zstd":            {imagetest.Bomb(t, "zstd", 320), 5 << 20, errExpands},
		"bzip2":           {imagetest.Bomb(t, "bzip2", 320), 5 << 20, errExpands},
	} {
		s := storeThatExpands(t, tt.limit, tt.packed)
		if _, _, err := s.expand(bytes.NewReader(tt.packed), int64(len(tt.packed))); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
		if info, err := os.Stat(filepath.Join(s.dir, "1")); err != nil || info.Size() != tt.limit {
			t.Errorf("%s: %v was written, %v, want %d bytes", name, info, err, tt.limit)
		}
	}
}

// TestHoleExpands has an archive whose file is a hole, which is written.
func TestHoleExpands(t *testing.T) {
	data := imagetest.Sparse(t, "hole", 1<<50)
	s := storeThatExpands(t, 1<<20, data)
	archive := &file{size: int64(len(data)), content: text(data)}
	err := s.unpack(archive, &unpacker{to: newTree(new(int))})
	if !errors.Is(err, errExpands) || !strings.HasPrefix(err.Error(), "hole: ") {
		t.Errorf("got %v", err)
	}
	if info, err := os.Stat(filepath.Join(s.dir, "2")); err != nil || info.Size() != 1<<20-int64(len(data)) {
		t.Errorf("%v was written, %v", info, err)
	}
}

// TestPackedSizes has files that say that they have more than a number of bytes
// can be multiplied by.
func TestPackedSizes(t *testing.T) {
	s := &store{expandable: expandFree}
	for range 3 {
		s.packed(math.MaxInt64)
		if s.expandable != bytesLimit {
			t.Errorf("%d bytes may be unpacked, want %d", s.expandable, int64(bytesLimit))
		}
	}
}

// storeThatExpands has a limit for what these packed bytes come to.
func storeThatExpands(t *testing.T, limit int64, packed []byte) *store {
	t.Helper()
	s, err := newStore(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.expandable = limit - expandRatio*int64(len(packed))
	return s
}

// TestLargeDescriptions has files of which more would be kept in memory than a
// kernel takes.
func TestLargeDescriptions(t *testing.T) {
	large := func(size int) tar.Header {
		h := reg("x", "x")
		h.PAXRecords = map[string]string{"SCHILY.xattr.user.a": strings.Repeat("a", size)}
		return h
	}
	for _, tt := range []struct {
		name   string
		header tar.Header
		spent  int
		want   error
	}{
		{"a link", sym("x", strings.Repeat("a/", pathLimit)), 0, errLink},
		{"a hard link", hard("x", strings.Repeat("a/", pathLimit)), 0, errLink},
		{"attributes", large(attributesOfFile), 0, errXattrs},
		{"attributes of all files", large(1000), attributesOfBuild - 1000, errXattrAll},
		{"what is just small enough", large(1000), attributesOfBuild - 2000, nil},
	} {
		s, err := newStore(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		s.attributes = tt.spent
		path := filepath.Join(t.TempDir(), "x.tar")
		write(t, path, tarOf(t, tt.header))
		if err := s.archive(path, func(*tar.Header, *file) error { return nil }); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestHoleOfTheContext has a file that is larger than all that a build may
// write, of which nothing is on the disk.
func TestHoleOfTheContext(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY hole /\n", "hole": ""})
	if err := os.Truncate(filepath.Join(b.Context, "hole"), bytesLimit+1); err != nil {
		t.Skipf("the file system has no file of that size: %v", err)
	}
	if _, err := Build(t.Context(), b, options(t, b)); !errors.Is(err, errTooLarge) || !strings.HasPrefix(err.Error(), "Dockerfile:2: ") {
		t.Errorf("got %v", err)
	}
}

// tarOf makes a tar of headers; a file's text is its Uname.
func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var all bytes.Buffer
	w := tar.NewWriter(&all)
	for _, h := range headers {
		text := h.Uname
		h.Uname, h.Size = "", int64(len(text))
		h.Mode = cmp.Or(h.Mode, 0o644)
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

func reg(name, text string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Uname: text}
}
func dir(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755} }
func sym(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
}
func hard(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to}
}

// imageOf is an image of layers.
func imageOf(t testing.TB, layers ...[]byte) Base {
	t.Helper()
	made := empty.Image
	for _, l := range layers {
		var err error
		if made, err = mutate.AppendLayers(made, static.NewLayer(l, types.OCIUncompressedLayer)); err != nil {
			t.Fatal(err)
		}
	}
	return func(context.Context, string, v1.Platform) (Found, error) { return Found{Image: made}, nil }
}

// TestBaseLayers has what layers say of the layers below them.
func TestBaseLayers(t *testing.T) {
	lower := tarOf(t, dir("./"), dir("d/"), reg("d/a", "a"), reg("d/b", "b"), dir("o/"), dir("o/sub/"), reg("o/sub/x", "x"), reg("o/y", "y"),
		reg("f", "f"), dir("gone/"), reg("gone/z", "z"), sym("l", "d"), hard("d/hard", "d/b"))
	upper := tarOf(t, reg("d/.wh.a", ""), reg("o/.wh..wh..opq", ""), dir("o/sub/"), reg("o/new", "n"), reg(".wh.gone", ""),
		dir("f/"), reg("f/now", "directory"), reg("l/through", "t"), reg("d/b", "other"), reg("implied/x", "i"))
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY --from=a / /\n"})
	o := options(t, b)
	o.Base = imageOf(t, lower, upper)
	files := savedImage(t, mustBuild(t, b, o)).files()
	var got []string
	for name, f := range files {
		got = append(got, name+"="+f.Text+f.Link)
	}
	slices.Sort(got)
	want := "d/b=other d/hard=b d/through=t d= f/now=directory f= implied/x=i implied= l=d o/new=n o/sub= o="
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// TestCopyKeepsHardLinks wants files that were one to be one in the copy, and
// nothing else.
func TestCopyKeepsHardLinks(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY --from=a / /copy/\nCOPY --from=a /one /two /apart/\n"})
	o := options(t, b)
	o.Base = imageOf(t, tarOf(t, reg("one", "x"), hard("two", "one"), reg("three", "x")))
	s := savedImage(t, mustBuild(t, b, o))
	for name, want := range map[string]string{"copy/one": "", "copy/two": "copy/one", "copy/three": ""} {
		if got := s.layers[0][name].Linkname; got != want {
			t.Errorf("%s is a link to %q, want %q", name, got, want)
		}
	}
	if got := s.layers[1]["apart/two"]; got.Typeflag != tar.TypeReg || got.Text != "x" {
		t.Errorf("apart/two is %c with %q", got.Typeflag, got.Text)
	}
}

// TestArchiveStaysInside has an archive with names and links that lead out of
// where it is unpacked.
func TestArchiveStaysInside(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY keep /etc/\nADD x.tar /in/side/\n", "keep": "k"})
	archive := tarOf(t, reg("../../up", "1"), reg("/absolute", "2"), sym("lib", "/etc"), reg("lib/passwd", "3"), sym("far", "../../../.."),
		reg("far/away", "4"), hard("linked", "../../etc/passwd"))
	write(t, filepath.Join(b.Context, "x.tar"), archive)
	var got []string
	for name, f := range savedImage(t, mustBuild(t, b, options(t, b))).files() {
		if f.Kind == "0" {
			got = append(got, name+"="+f.Text)
		}
	}
	slices.Sort(got)
	want := "etc/keep=k in/side/absolute=2 in/side/away=4 in/side/etc/passwd=3 in/side/linked=3 in/side/up=1"
	// To an archive the directory that it is unpacked to is the root.
	if all := strings.Join(got, " "); all != want {
		t.Errorf("got  %s\nwant %s", all, want)
	}
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDirectoryFileDirectory replaces a directory by a file and that by a directory, in one
// layer: nothing of the first may be seen.
func TestDirectoryFileDirectory(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY old /d/\nADD x.tar /\n", "old": ""})
	write(t, filepath.Join(b.Context, "x.tar"), tarOf(t, reg("d", "file"), dir("d"), reg("d/new", "n")))
	s := savedImage(t, mustBuild(t, b, options(t, b)))
	files := s.files()
	if _, ok := files["d/old"]; ok || files["d/new"].Text != "n" {
		t.Errorf("got %v", files)
	}
	if _, ok := s.layers[1]["d/"+whiteoutOpaque]; !ok {
		t.Errorf("the layer has %v", s.names[1])
	}
}

// TestXattrs wants what a tar has of them to be kept.
func TestXattrs(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY --from=a /x /x\n"})
	h := reg("x", "x")
	h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": "\x01\x02", "SCHILY.other": "y"}
	o := options(t, b)
	o.Base = imageOf(t, tarOf(t, h))
	f := savedImage(t, mustBuild(t, b, o)).layers[0]["x"]
	if got := f.PAXRecords; len(got) != 1 || got["SCHILY.xattr.security.capability"] != "\x01\x02" {
		t.Errorf("got %q", got)
	}
}
