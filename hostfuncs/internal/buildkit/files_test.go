package buildkit

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// TestFilesThatChange shows a file, changes it, and has it read: the first that
// goes wrong ends the build.
func TestFilesThatChange(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(path string) error
		want   string // empty for what it was
	}{
		"nothing":  {change: func(string) error { return nil }},
		"vanishes": {os.Remove, "it was removed while the context was read"},
		"grows":    {func(path string) error { return os.WriteFile(path, []byte("longer"), 0o600) }, "it changed while it was read"},
		"shrinks":  {func(path string) error { return os.Truncate(path, 1) }, "it changed while it was read"},
	} {
		t.Run(name, func(t *testing.T) {
			what := aBuild(t, map[string]string{"Dockerfile": "", "file": "text"})
			c, err := image.Open(what)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			var stopped error
			files := &contextFiles{context: c, sizes: map[string]int64{}, stop: func(err error) { stopped = err }}
			err = files.Walk(t.Context(), "", func(string, fs.DirEntry, error) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(what.Context, "file")
			if err := tt.change(path); err != nil {
				t.Fatal(err)
			}
			text, err := readFile(files, "file")
			if tt.want == "" {
				if text != "text" || err != nil || stopped != nil {
					t.Errorf("got %q, %v, stopped for %v", text, err, stopped)
				}
				return
			}
			if stopped == nil || files.failure() != stopped || !strings.Contains(stopped.Error(), path+": "+tt.want) {
				t.Errorf("stopped for %v, %v", stopped, err)
			}
			if _, err := readFile(files, "never"); err == nil || files.failure() != stopped {
				t.Errorf("a second one: %v, failed for %v", err, files.failure())
			}
		})
	}
	c := &contextFiles{stop: func(error) { t.Error("stopped by its own end") }}
	if err := c.fail(context.Canceled); err != context.Canceled || c.failure() != nil {
		t.Errorf("given up: %v, %v", err, c.failure())
	}
}

func readFile(files *contextFiles, name string) (string, error) {
	r, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	return string(text), err
}
