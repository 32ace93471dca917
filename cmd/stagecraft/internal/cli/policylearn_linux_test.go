package cli

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/creack/pty"
)

// TestTerminals: the user's terminal is returned by all names that programs open it by.
func TestTerminals(t *testing.T) {
	keyboard, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer keyboard.Close()
	defer terminal.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	got := terminals(null, terminal, nil)
	for _, want := range []string{"/dev/tty", terminal.Name(), filepath.Dir(terminal.Name())} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not in %q", want, got)
		}
	}
	if got := terminals(null, nil); len(got) > 0 {
		t.Errorf("without a terminal: %q", got)
	}
}
