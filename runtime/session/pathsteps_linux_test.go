package session

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestStepInsideByDescriptor names open files of the project by their descriptors, as a
// shell does.
func TestStepInsideByDescriptor(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(root, "c.yml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for fd, want := range map[uintptr]string{file.Fd(): file.Name(), r.Fd(): ""} {
		if got := stepInside(root, fmt.Sprintf("/dev/fd/%d", fd)); got != want {
			t.Errorf("/dev/fd/%d: got %q, want %q", fd, got, want)
		}
	}
}
