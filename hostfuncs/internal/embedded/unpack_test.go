package embedded

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

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
