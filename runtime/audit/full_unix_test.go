//go:build unix

package audit_test

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// appendToFull writes a record of which only a part finds room, as on a disk
// that is full, and then others.
func appendToFull(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	l, err := audit.Open(path, audit.Options{})
	if err != nil {
		return err
	}
	r := newRun("RUN")
	first, long, short, last := r.start("dev"), r.begin(1, 1, strings.Repeat("x", 8000)), r.begin(1, 1, "short"), r.end(2, "failed", 1, 1, 0)
	last.Call = 1
	if err := l.Append(&first); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4096, Max: 4096}); err != nil {
		return err
	}
	info, _ := os.Stat(path)
	err = l.Append(&long)
	if err == nil {
		return fmt.Errorf("the record was written")
	}
	fmt.Println(err)
	if now, _ := os.Stat(path); now.Size() != info.Size() {
		return fmt.Errorf("the log has %d bytes, %d before", now.Size(), info.Size())
	}
	done := short
	done.Type = audit.TypeCall
	for _, rec := range []audit.Record{done, last} {
		if err := l.Append(&rec); err != nil {
			return err
		}
	}
	return nil
}

func TestOpenFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Open(path, audit.Options{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
	if _, err := audit.Verify(path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

func TestOpenLinks(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"file": "log", "directory": ".", "nowhere": "missing", "null": os.DevNull} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	create(t, filepath.Join(dir, "log"), small()[0])
	create(t, filepath.Join(dir, "file"), small()[1])
	if report, _ := readFile(t, filepath.Join(dir, "log")); report.Records != 2 || report.Broken {
		t.Errorf("got %+v", report)
	}
	for _, name := range []string{"directory", "nowhere", "null"} {
		if _, err := audit.Open(filepath.Join(dir, name), audit.Options{}); err == nil {
			t.Errorf("%s is opened", name)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "missing")); err == nil {
		t.Error("a link that leads nowhere made a file")
	}
}

// TestAppendRemoved: writing to a removed log is an error.
func TestAppendRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r := small()[0]
	if err := l.Append(&r); err == nil || !strings.Contains(err.Error(), "removed") {
		t.Errorf("got %v", err)
	}
}
