package privatedir_test

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
)

func TestMake(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a directory has no mode there")
	}
	type test struct {
		prepare func(dir string) error
		want    string // in the error, empty for none
	}
	tests := map[string]test{
		"none":            {func(string) error { return nil }, ""},
		"none below none": {func(dir string) error { return os.Remove(filepath.Dir(dir)) }, ""},
		"one's own":       {func(dir string) error { return os.Mkdir(dir, 0o700) }, ""},
		"one to read":     {func(dir string) error { return cmp.Or(os.Mkdir(dir, 0o750), os.Chmod(dir, 0o750)) }, "is open to other users (mode 0750): remove it, or chmod 700 it"},
		"a file":          {func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, "not a directory"},
		"a link":          {func(dir string) error { return os.Symlink(t.TempDir(), dir) }, "is not a directory, but a link or a file"},
		"a link to none":  {func(dir string) error { return os.Symlink("none", dir) }, "file exists"},
		"below a file":    {func(dir string) error { return replaced(filepath.Dir(dir)) }, "not a directory"},
	}
	// Nobody else can give a directory away.
	if os.Geteuid() == 0 {
		tests["another user's"] = test{given, "is owned by another user"}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "above", "directory")
			if err := os.Mkdir(filepath.Dir(dir), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := tt.prepare(dir); err != nil {
				t.Fatal(err)
			}
			err := privatedir.Make(dir)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if info, err := os.Stat(dir); tt.want == "" && (err != nil || info.Mode().Perm() != 0o700) {
				t.Errorf("got %v, %v", info, err)
			}
		})
	}
}

func given(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return os.Chown(dir, 12345, -1)
}

func replaced(dir string) error {
	if err := os.Remove(dir); err != nil {
		return err
	}
	return os.WriteFile(dir, nil, 0o600)
}
