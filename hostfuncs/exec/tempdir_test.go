//go:build unix

package exec

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTempDir: a run's directory stays as long as the run, and one that was left
// goes with the next.
func TestTempDir(t *testing.T) {
	common := t.TempDir()
	t.Setenv("TMPDIR", common)
	left := filepath.Join(common, tempName+"left")
	if err := os.MkdirAll(filepath.Join(left, "in", "it"), 0o700); err != nil {
		t.Fatal(err)
	}
	first, err := newTempDir()
	if err != nil {
		t.Fatal(err)
	}
	second, err := newTempDir()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{left: false, first.path: true, second.path: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", path, err == nil, want)
		}
	}
	for _, dir := range []*tempDir{first, second} {
		if err := dir.remove(); err != nil {
			t.Error(err)
		}
	}
	if names, err := os.ReadDir(common); err != nil || len(names) > 0 {
		t.Errorf("left: %v, %v", names, err)
	}
}
