// Package imagetest has what tests of image builds share.
package imagetest

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Dir is a new directory's path without links, as a build wants it.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// ShortDir is a new directory for sockets, whose paths have at most some 100 bytes:
// it is in /tmp where the directory for temporary files has a long name.
func ShortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err == nil && len(dir) > 80 {
		if err = os.Remove(dir); err == nil {
			dir, err = os.MkdirTemp("/tmp", "s")
		}
	}
	if err != nil {
		t.Fatalf("a socket needs a directory with a short name: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Write writes files below dir, whatever the umask is: files are 0644 and directories
// 0755. A name that ends with a slash is a directory.
func Write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		directory := filepath.Dir(path)
		if name[len(name)-1] == '/' {
			directory = path
		}
		if err := os.MkdirAll(directory, 0o755); err != nil {
			t.Fatal(err)
		}
		for ; directory != filepath.Clean(dir); directory = filepath.Dir(directory) {
			chmod(t, directory, 0o755)
		}
		if name[len(name)-1] == '/' {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		chmod(t, path, 0o644)
	}
}

func chmod(t testing.TB, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// Context is a directory with the files, and the path of the Dockerfile in it,
// which is one without any interest where files has none.
func Context(t testing.TB, files map[string]string) (dir, dockerfile string) {
	t.Helper()
	dir = Dir(t)
	Write(t, dir, map[string]string{"Dockerfile": "FROM scratch\n"})
	Write(t, dir, files)
	return dir, filepath.Join(dir, "Dockerfile")
}

// File is a file in a tar.
type File struct {
	tar.Header
	Text string
}

// Tar gives the files of a tar by their names, each of which must be there
// once.
func Tar(t testing.TB, r io.Reader) map[string]File {
	t.Helper()
	files := map[string]File{}
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := files[h.Name]; ok {
			t.Errorf("%s is there twice", h.Name)
		}
		files[h.Name] = File{*h, string(text)}
	}
}
