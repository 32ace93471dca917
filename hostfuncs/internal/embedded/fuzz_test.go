package embedded

import (
	"archive/tar"
	"bytes"
	"io"
	"path"
	"strings"
	"testing"
)

// FuzzResolve wants every path in every tree to lead into it: to a path without
// links, which leads to itself.
func FuzzResolve(f *testing.F) {
	for _, seed := range []string{
		"a/b\nl -> ../..\x00l/x", "x -> y\ny -> x\x00x/y/z", "a -> /b/../c\nc/d\x00a/./d/..", "a/\nb -> a/\x00b//../b/c",
	} {
		lines, name, _ := strings.Cut(seed, "\x00")
		f.Add(lines, name, true)
	}
	f.Fuzz(func(t *testing.T, lines, name string, follow bool) {
		tr := newTree(new(int))
		tr.op = 1
		for line := range strings.SplitSeq(lines, "\n") {
			name, target, isLink := strings.Cut(line, " -> ")
			u := &unpacker{to: tr, root: tr.root}
			h, file := &tar.Header{Name: name}, &file{kind: tar.TypeReg}
			if isLink {
				file.kind, file.link = tar.TypeSymlink, target
			}
			// What cannot be there is not.
			_ = u.visit(h, file)
		}
		got, n, err := tr.resolve(name, follow)
		if err != nil {
			return
		}
		if path.Clean(got) != got || got[0] != '/' || strings.Contains(got+"/", "/../") {
			t.Fatalf("%q leads to %q", name, got)
		}
		if n != nil && n.path() != got {
			t.Fatalf("%q leads to %q, and to what is at %q", name, got, n.path())
		}
		if again, m, err := tr.resolve(got, false); err != nil || again != got || m != n {
			t.Fatalf("%q leads to %q, and that to %q, %v", name, got, again, err)
		}
		if found, err := tr.matches(name); err == nil {
			for _, m := range found {
				if m[0] != '/' || path.Clean(m) != m {
					t.Fatalf("%q matches %q", name, m)
				}
			}
		}
	})
}

// FuzzUnpack unpacks archives, as an ADD and as an image's layer, and wants
// what a layer then must be below the directory, in order, and readable.
func FuzzUnpack(f *testing.F) {
	f.Add(tarOf(f, reg("a", "x"), dir("b"), sym("c", "../.."), hard("d", "a"), reg("c/e", "y")), true)
	f.Add(tarOf(f, dir("./"), reg("b/.wh.c", ""), reg(".wh..wh..opq", ""), reg("/abs", "z")), false)
	f.Add(tarOf(f, tar.Header{Typeflag: tar.TypeChar, Name: "dev", Devmajor: 1}, tar.Header{Typeflag: tar.TypeFifo, Name: "p"}), true)
	f.Fuzz(func(t *testing.T, archive []byte, isLayer bool) {
		s, err := newStore(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer s.remove()
		s.left = 64 << 20
		tr := newTree(new(int))
		tr.op = 1
		root, err := tr.mkdirAll("/in/side", file{mode: 0o755})
		if err != nil {
			t.Fatal(err)
		}
		from := &file{kind: tar.TypeReg, size: int64(len(archive)), content: text(archive)}
		if is, err := isArchive(from); err != nil || !is {
			return
		}
		if err := s.unpack(from, &unpacker{to: tr, root: root, layer: isLayer}); err != nil {
			return
		}
		l, err := s.writeLayer(tr)
		if err != nil {
			// A file in the archive may be too much for a tar of ours.
			return
		}
		wantBelow(t, l, "in/side/")
	})
}

func wantBelow(t *testing.T, l *layer, directory string) {
	t.Helper()
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for r := tar.NewReader(bytes.NewReader(all)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(h.Name, directory) && !strings.HasPrefix(directory, h.Name) || path.Clean(h.Name) != strings.TrimSuffix(h.Name, "/") {
			t.Fatalf("the layer has %q", h.Name)
		}
		if h.Typeflag == tar.TypeLink && !strings.HasPrefix(h.Linkname, directory) {
			t.Fatalf("the layer has %q, a link to %q", h.Name, h.Linkname)
		}
		if h.Name == last {
			t.Fatalf("the layer has %q twice", h.Name)
		}
		last = h.Name
	}
}

// FuzzBuild builds any Dockerfile over a context with links that lead out.
func FuzzBuild(f *testing.F) {
	for _, seed := range []string{
		"FROM scratch\nCOPY . /\nCOPY --chown=1:x --exclude=*.a /out/* l/../* d /x/./\nWORKDIR ../..\nADD . .",
		"FROM scratch AS a\nCOPY <<E /../x\ny\nE\nFROM a\nCOPY --from=a /x /x/../../y\nUSER $A\nENV A=b A=$A\nCMD x\nENTRYPOINT [\"y\"]",
		"FROM scratch\nEXPOSE 1-3/udp [::1]:2:3\nHEALTHCHECK CMD x\nSTOPSIGNAL RTMIN+3\nVOLUME [\"/a\"]\nSHELL [\"a\"]\nLABEL a=b",
	} {
		f.Add(seed)
	}
	b := aBuild(f, map[string]string{"a": "a", "d/b": "b", "x.tar": string(tarOf(f, reg("t", "t"), sym("u", "/")))})
	link(f, "../..", b.Context+"/out")
	link(f, "/", b.Context+"/root")
	link(f, "d", b.Context+"/l")
	temp := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		built, err := Build(t.Context(), b, Options{Name: "Dockerfile", Text: []byte(text), Temp: temp, Platform: "linux/amd64"})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "Dockerfile") || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("got %q", err)
			}
			return
		}
		defer built.Close()
		for _, e := range savedImage(t, built).files() {
			if strings.Contains(e.Text, "root:") {
				t.Errorf("a file from outside: %q", e.Text)
			}
		}
	})
}
