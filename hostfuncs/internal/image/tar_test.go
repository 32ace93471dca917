package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/patternmatcher"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

func openTest(t testing.TB, b Build) *Context {
	t.Helper()
	c, err := Open(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.root.Close() })
	return c
}

// sent returns what is in the tar of a context.
func sent(t *testing.T, b Build) map[string]imagetest.File {
	t.Helper()
	var archive bytes.Buffer
	if err := openTest(t, b).newTar(t.Context(), &archive).write(); err != nil {
		t.Fatal(err)
	}
	return imagetest.Tar(t, &archive)
}

func TestTarSendsTheBuildsOwnFiles(t *testing.T) {
	for _, tt := range []struct {
		name       string
		dockerfile string
		files      map[string]string
		want       []string
		ignore     string // the content of .dockerignore in the tar
	}{
		{
			name: "no ignore file", dockerfile: "Dockerfile",
			files: map[string]string{"Dockerfile": "", "a": ""},
			want:  []string{"Dockerfile", "a"},
		},
		{
			name: "all is ignored", dockerfile: "deploy/prod/Dockerfile",
			files:  map[string]string{"deploy/prod/Dockerfile": "", "deploy/x": "", "a": "", ".dockerignore": "*"},
			want:   []string{".dockerignore", "deploy/", "deploy/prod/", "deploy/prod/Dockerfile"},
			ignore: "*",
		},
		{
			name: "the Dockerfile's ignore file", dockerfile: "d/Dockerfile",
			files:  map[string]string{"d/Dockerfile": "", "d/Dockerfile.dockerignore": "d", "a": "", ".dockerignore": "a"},
			want:   []string{".dockerignore", "a", "d/", "d/Dockerfile"},
			ignore: "d\n.dockerignore\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := imagetest.Dir(t)
			imagetest.Write(t, dir, tt.files)
			got := sent(t, Build{Context: dir, Dockerfile: filepath.Join(dir, filepath.FromSlash(tt.dockerfile))})
			if diff := cmp.Diff(tt.want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if got[ignoreName].Text != tt.ignore {
				t.Errorf("%s contains %q, want %q", ignoreName, got[ignoreName].Text, tt.ignore)
			}
		})
	}
}

func TestTarDockerfileFromOutside(t *testing.T) {
	dir, outside := imagetest.Dir(t), imagetest.Dir(t)
	imagetest.Write(t, outside, map[string]string{"Dockerfile": "FROM scratch"})
	imagetest.Write(t, dir, map[string]string{"a": ""})
	b := Build{Context: dir, Dockerfile: filepath.Join(outside, "Dockerfile")}
	name := openTest(t, b).unusedName()
	got := sent(t, b)
	if got[name].Text != "FROM scratch" {
		t.Errorf("%s contains %q", name, got[name].Text)
	}
	if want := "\n.dockerignore\n" + name + "\n"; got[ignoreName].Text != want {
		t.Errorf("%s contains %q, want %q", ignoreName, got[ignoreName].Text, want)
	}
	// The name is taken: the file of that name must survive.
	imagetest.Write(t, dir, map[string]string{name: "mine"})
	again := openTest(t, b).unusedName()
	if again == name {
		t.Errorf("%s is taken", again)
	}
	if got := sent(t, b); got[name].Text != "mine" || got[again].Text != "FROM scratch" {
		t.Errorf("sent %v", slices.Sorted(maps.Keys(got)))
	}
}

// TestTarDockerfileAsDecided has the text sent that was decided on, whatever was
// written to the file since.
func TestTarDockerfileAsDecided(t *testing.T) {
	dir, outside := imagetest.Dir(t), imagetest.Dir(t)
	for _, at := range []string{dir, outside} {
		imagetest.Write(t, at, map[string]string{"Dockerfile": "FROM evil"})
	}
	for _, directory := range []string{dir, outside} {
		b := Build{Context: dir, Dockerfile: filepath.Join(directory, "Dockerfile"), Text: []byte("FROM scratch")}
		name := "Dockerfile"
		if directory == outside {
			name = openTest(t, b).unusedName()
		}
		if got := sent(t, b)[name]; got.Text != "FROM scratch" {
			t.Errorf("%s: sent %q", directory, got.Text)
		}
	}
}

func TestTarLinksAndSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	b := aBuild(t)
	secret := imagetest.Dir(t)
	imagetest.Write(t, secret, map[string]string{"key": "secret"})
	t.Chdir(b.Context) // the path of a socket is short, and that of the context may not be
	socket, err := net.Listen("unix", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for name, target := range map[string]string{"file": secret + "/key", "directory": secret, "up": "../..", "loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(b.Context, name)); err != nil {
			t.Fatal(err)
		}
	}
	b.Takes = []dockerfile.Take{{Name: "COPY", Line: 2, Path: "file"}}
	got := sent(t, b)
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, []string{"Dockerfile", "directory", "file", "loop", "up"}) {
		t.Errorf("sent %v", names)
	}
	for name, f := range got {
		if name != "Dockerfile" && (f.Typeflag != tar.TypeSymlink || f.Text != "") {
			t.Errorf("%s is of type %c and contains %q", name, f.Typeflag, f.Text)
		}
	}
	if got["file"].Linkname != secret+"/key" {
		t.Errorf("file leads to %s", got["file"].Linkname)
	}
}

func TestOpenContextRefuses(t *testing.T) {
	b := aBuild(t)
	dir := imagetest.Dir(t)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(b.Context, link); err != nil {
		t.Skip(err)
	}
	imagetest.Write(t, dir, map[string]string{"Dockerfile": "", "real": "", "directory/": "", "bad/.dockerignore": "a\n[\n", "linked/x": ""})
	if err := os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "Dockerfile.dockerignore")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "linked", ignoreName)); err != nil {
		t.Fatal(err)
	}
	imagetest.Write(t, dir, map[string]string{"large/.dockerignore": strings.Repeat("#\n", ignoreLimit), "is/.dockerignore/": ""})
	for _, tt := range []struct{ name, context, dockerfile, want string }{
		{"context by a link", link, b.Dockerfile, link + " is a link to " + b.Context},
		{"Dockerfile by a link", b.Context, filepath.Join(link, "Dockerfile"), "is a link to " + b.Dockerfile},
		{"relative context", "x", b.Dockerfile, `"x" is not an absolute path`},
		{"relative Dockerfile", b.Context, "Dockerfile", `"Dockerfile" is not an absolute path`},
		{"no context", filepath.Join(dir, "none"), b.Dockerfile, filepath.Join(dir, "none")},
		{"no Dockerfile", b.Context, filepath.Join(dir, "none"), filepath.Join(dir, "none")},
		{"context is a file", b.Dockerfile, b.Dockerfile, "build context:"},
		{"Dockerfile is a directory", b.Context, filepath.Join(dir, "directory"), filepath.Join(dir, "directory") + ": it is not a regular file"},
		{"the Dockerfile's ignore file is a link", b.Context, filepath.Join(dir, "Dockerfile"), "Dockerfile.dockerignore: it is not a regular file"},
		{"the ignore file leads out", filepath.Join(dir, "linked"), b.Dockerfile, filepath.Join(dir, "linked", ignoreName)},
		{"the ignore file is a directory", filepath.Join(dir, "is"), b.Dockerfile, filepath.Join(dir, "is", ignoreName)},
		{"wrong pattern", filepath.Join(dir, "bad"), b.Dockerfile, filepath.Join(dir, "bad", ignoreName) + ":2: "},
		{"large ignore file", filepath.Join(dir, "large"), b.Dockerfile, "is larger than 1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Open(Build{Context: tt.context, Dockerfile: tt.dockerfile})
			if err == nil {
				c.root.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestTarFilesThatChange lets files change once the first bytes of an earlier,
// large one arrive.
func TestTarFilesThatChange(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(dir string) error
		file   string
		want   error
	}{
		{"vanishes", func(dir string) error { return os.Remove(filepath.Join(dir, "b")) }, "b", fs.ErrNotExist},
		{"shrinks", func(dir string) error { return os.Truncate(filepath.Join(dir, "a"), 100<<10) }, "a", ErrChanged},
		{"grows", func(dir string) error { return os.Truncate(filepath.Join(dir, "a"), 301<<10) }, "a", ErrChanged},
		{"directory vanishes", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "c")) }, "c", fs.ErrNotExist},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := aBuild(t)
			imagetest.Write(t, b.Context, map[string]string{"a": strings.Repeat("x", 300<<10), "b": "", "c/d": ""})
			changed := false
			err := openTest(t, b).newTar(t.Context(), writerFunc(func(p []byte) (int, error) {
				if !changed {
					changed = true
					if err := tt.change(b.Context); err != nil {
						t.Fatal(err)
					}
				}
				return len(p), nil
			})).write()
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), filepath.Join(b.Context, tt.file)+": ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTarUnreadableFile(t *testing.T) {
	if os.Getuid() <= 0 {
		t.Skip("to root and on Windows every file is readable")
	}
	b := aBuild(t)
	if err := os.WriteFile(filepath.Join(b.Context, "locked"), nil, 0); err != nil {
		t.Fatal(err)
	}
	err := openTest(t, b).newTar(t.Context(), io.Discard).write()
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "locked: permission denied") {
		t.Errorf("got %v", err)
	}
}

func TestTarEndsWithItsContext(t *testing.T) {
	b := aBuild(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := openTest(t, b).newTar(ctx, io.Discard).write(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestTarMemory sends a file that is much larger than what may be allocated.
func TestTarMemory(t *testing.T) {
	b := aBuild(t)
	imagetest.Write(t, b.Context, map[string]string{"large": ""})
	if err := os.Truncate(filepath.Join(b.Context, "large"), 128<<20); err != nil {
		t.Fatal(err)
	}
	c := openTest(t, b)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := c.newTar(t.Context(), io.Discard).write(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

func TestTarOwner(t *testing.T) {
	b := aBuild(t)
	// Only root can give a file away; anyone else has files of their own.
	if os.Getuid() == 0 {
		if err := os.Lchown(b.Dockerfile, 1234, 1234); err != nil {
			t.Fatal(err)
		}
	}
	h := sent(t, b)["Dockerfile"]
	if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
		t.Errorf("it belongs to %d:%d %q:%q", h.Uid, h.Gid, h.Uname, h.Gname)
	}
}

// TestStreamEnds sees to it that whichever way a stream ends, the directory is
// closed; reading it to its end waits for that.
func TestStreamEnds(t *testing.T) {
	c := openTest(t, aBuild(t))
	s := c.Stream(t.Context())
	if _, err := io.Copy(io.Discard, s); err != nil {
		t.Error(err)
	}
	if _, err := c.root.Lstat("Dockerfile"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the directory is open: %v", err)
	}
	c = openTest(t, aBuild(t))
	s = c.Stream(t.Context())
	s.Close()
	if err := <-s.done; !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
	s.done <- io.ErrClosedPipe
	if err := s.Failure(); err != nil {
		t.Errorf("a reader that went away counts as a failure: %v", err)
	}
}

func TestSentMode(t *testing.T) {
	for _, tt := range []struct {
		goos       string
		mode, want int64
	}{{"linux", 0o640, 0o640}, {"darwin", 0o777, 0o777}, {"windows", 0o666, 0o755}, {"windows", 0o444, 0o555}} {
		if got := sentMode(tt.goos, tt.mode); got != tt.want {
			t.Errorf("sentMode(%s, %o) = %o, want %o", tt.goos, tt.mode, got, tt.want)
		}
	}
}

// FuzzIgnore compares what is sent with what the patterns say of each file by
// itself: passing over whole directories must make no difference.
func FuzzIgnore(f *testing.F) {
	for _, seed := range []string{
		"", "*", "*\n!a", "a/b", "a\n!a/b/c.go", "**/c.go", "*\n!**/*.go", "a/*\n!a/b", "!a", "# a\n a \n/a/b/",
		"*\n!a/b", "a/**\n!a/b/c.md", "**\n!d\nd/e/f", "[", "!", "\\", "a/[b", "x/../a", "\ufeffa", "?", "*/*\n!*/e",
	} {
		f.Add(seed)
	}
	dir := imagetest.Dir(f)
	names := []string{"Dockerfile", "a/b/c.go", "a/b/c.md", "a/d", "d/e/f", "d/e/g.go", "x"}
	for _, name := range names {
		imagetest.Write(f, dir, map[string]string{name: ""})
	}
	dockerfile := filepath.Join(dir, "Dockerfile")
	f.Fuzz(func(t *testing.T, text string) {
		imagetest.Write(t, dir, map[string]string{ignoreName: text})
		b := Build{Context: dir, Dockerfile: dockerfile}
		c, err := Open(b)
		if err != nil {
			if !strings.Contains(err.Error(), ignoreName) {
				t.Errorf("%q names no file", err)
			}
			return
		}
		c.root.Close()
		want := map[string]bool{ignoreName: true}
		for _, name := range names {
			if name == "Dockerfile" || !ignoredAlone(t, c.rules, name) {
				want[name] = true
			}
		}
		got := map[string]bool{}
		for name := range sent(t, b) {
			if !strings.HasSuffix(name, "/") {
				got[name] = true
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	})
}

// ignoredAlone asks about a file and each directory above it, from the top.
func ignoredAlone(t *testing.T, r *ignoreRules, name string) bool {
	var ignored bool
	var info patternmatcher.MatchInfo
	var prefix string
	for part := range strings.SplitSeq(name, "/") {
		prefix = path.Join(prefix, part)
		var err error
		if ignored, info, err = r.matcher.MatchesUsingParentResults(prefix, info); err != nil {
			t.Fatal(err)
		}
	}
	return ignored
}

// aBuild is a build of a context with nothing of interest in it.
func aBuild(t testing.TB) Build {
	t.Helper()
	dir, dockerfile := imagetest.Context(t, nil)
	return Build{Context: dir, Dockerfile: dockerfile}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
