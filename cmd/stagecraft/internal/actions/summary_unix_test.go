//go:build unix

package actions

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Opening a pipe for writing blocks until it is read: the test would hang.
func TestSummaryIsNoPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	w, out := newWorkflow(t, "GITHUB_STEP_SUMMARY="+path)
	w.Summary(runs["done"])
	if !strings.Contains(out.String(), "not a regular file") {
		t.Errorf("printed %q", out)
	}
}
