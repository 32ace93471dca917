//go:build unix

package gitstate

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestGitFilesOfAnyKind wants nobody to wait for a pipe in .git, or to read a
// device.
func TestGitFilesOfAnyKind(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"device":    func(path string) error { return os.Symlink("/dev/zero", path) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		for _, file := range []string{".git", ".git/HEAD", ".git/commondir", ".git/packed-refs"} {
			t.Run(name+" "+file, func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, filepath.FromSlash(file))
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := put(path); err != nil {
					t.Fatal(err)
				}
				if file != ".git" && file != ".git/HEAD" {
					if err := os.WriteFile(filepath.Join(dir, ".git", "HEAD"), []byte("ref: refs/heads/main\n"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if got := headOf(dir); got != "" {
					t.Errorf("got %q", got)
				}
			})
		}
	}
}
