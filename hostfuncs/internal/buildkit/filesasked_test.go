package buildkit

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonistiigi/fsutil"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// FuzzContextFiles has a builder ask for whatever it likes: it gets what the
// context has, and neither what is ignored nor what is outside.
func FuzzContextFiles(f *testing.F) {
	for _, name := range []string{"", ".", "a", "directory", "directory/b", "../secret", "/etc/passwd", ".env", "directory/../.env", "out", "out/secret", "link", "keep/x", "a/b", "\x00", "directory/./b", "..\\secret", "Dockerfile"} {
		f.Add(name, name, name, name)
		f.Add(name, "**", "!"+name, "*")
	}
	dir, err := filepath.EvalSymlinks(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	context := filepath.Join(dir, "context")
	for name, text := range map[string]string{
		"context/Dockerfile": "FROM scratch", "context/a": "a", "context/directory/b": "b", "context/keep/x": "x", "context/keep/y": "SECRET",
		"context/.dockerignore": ".env\nkeep\n!keep/x\nignored", "context/.env": "SECRET", "context/ignored/z": "SECRET", "secret": "SECRET",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	for name, to := range map[string]string{"out": "..", "link": ".env", "directory/up": "../.env"} {
		if err := os.Symlink(to, filepath.Join(context, filepath.FromSlash(name))); err != nil {
			f.Skip(err)
		}
	}
	f.Fuzz(func(t *testing.T, at, name, exclude, follow string) {
		c, err := image.Open(image.Build{Context: context, Dockerfile: filepath.Join(context, "Dockerfile")})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		shown := &contextFiles{context: c, sizes: map[string]int64{}, stop: func(error) {}}
		wantNoSecret(t, shown, at, name)
		filtered, err := fsutil.NewFilterFS(shown, &fsutil.FilterOpt{IncludePatterns: []string{name}, ExcludePatterns: []string{exclude}, FollowPaths: []string{follow}})
		if err == nil {
			wantNoSecret(t, filtered, at, name)
		}
	})
}

// wantNoSecret opens all that is shown below a name, and what has another name.
func wantNoSecret(t *testing.T, files fsutil.FS, at, name string) {
	t.Helper()
	names := []string{name}
	_ = files.Walk(t.Context(), at, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	for _, name := range names {
		f, err := files.Open(name)
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(f)
		f.Close()
		if strings.Contains(string(text), "SECRET") {
			t.Errorf("%q, walked from %q: got %q", name, at, text)
		}
	}
}
