package audit_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// writeRun writes a run to a log, with its head kept.
func writeRun(t *testing.T, path string, heads audit.Heads, id string) {
	t.Helper()
	l, err := audit.Open(path, audit.Options{Heads: heads})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := newRun(id)
	for _, rec := range []audit.Record{r.start("dev"), r.begin(1, 1, "exec x"), r.call(1, 2, 1, "exec", "exec x"), r.end(3, "done", 0, 1, 0)} {
		if err := l.Append(&rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.HeadError(); err != nil {
		t.Fatal(err)
	}
}

// endOf is the state of a log's end, and how many records are missing.
func endOf(t *testing.T, path string, heads audit.Heads) (*audit.End, int) {
	t.Helper()
	end := heads.End(path)
	report, err := audit.Read(path, func(r audit.Record) error {
		end.See(r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before := len(report.Findings)
	end.Finish(&report)
	if missing := len(report.Findings) > before; missing != report.Broken {
		t.Errorf("broken is %v with %d findings", report.Broken, len(report.Findings))
	}
	return end, len(report.Findings) - before
}

func TestHeads(t *testing.T) {
	for name, tt := range map[string]struct {
		// runs is how many are written; after them the log is changed.
		runs    int
		change  func(t *testing.T, path string, heads audit.Heads)
		want    audit.EndState
		missing int
	}{
		"as it was":       {2, nil, audit.EndKept, 0},
		"the last record": {2, cut(7), audit.EndCut, 1},
		"the last run":    {2, cut(4), audit.EndCut, 1},
		"all":             {2, cut(0), audit.EndCut, 1},
		"then another run": {2, func(t *testing.T, path string, heads audit.Heads) {
			cut(4)(t, path, heads)
			writeRun(t, path, heads, "after")
		}, audit.EndCut, 1},
		"twice, and then other runs": {3, func(t *testing.T, path string, heads audit.Heads) {
			cut(8)(t, path, heads)
			writeRun(t, path, heads, "after")
			cut(4)(t, path, heads)
			writeRun(t, path, heads, "later")
		}, audit.EndCut, 2},
		"begun anew": {1, func(t *testing.T, path string, heads audit.Heads) {
			remove(t, path)
			writeRun(t, path, heads, "new")
		}, audit.EndKept, 0},
		"another log": {1, func(t *testing.T, path string, _ audit.Heads) {
			remove(t, path)
			writeRun(t, path, "", "other")
		}, audit.EndOther, 0},
		"written elsewhere": {1, func(t *testing.T, path string, _ audit.Heads) { writeRun(t, path, "", "elsewhere") }, audit.EndKept, 0},
		"no heads":          {1, func(t *testing.T, _ string, heads audit.Heads) { remove(t, string(heads)) }, audit.EndUnknown, 0},
		"heads that are none": {1, func(t *testing.T, path string, heads audit.Heads) {
			file := heads.End(path).File
			if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, audit.EndUnknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			path, heads := filepath.Join(t.TempDir(), "log"), audit.Heads(filepath.Join(t.TempDir(), "a", "heads"))
			for i := range tt.runs {
				writeRun(t, path, heads, string(rune('A'+i)))
			}
			if tt.change != nil {
				tt.change(t, path, heads)
			}
			if end, missing := endOf(t, path, heads); end.State != tt.want || missing != tt.missing {
				t.Errorf("got %s with %d missing, want %s with %d", end.State, missing, tt.want, tt.missing)
			}
		})
	}
}

// cut leaves a log's first lines.
func cut(keep int) func(*testing.T, string, audit.Heads) {
	return func(t *testing.T, path string, _ audit.Heads) {
		var size int64
		for _, line := range lines(content(t, path))[:keep] {
			size += int64(len(line))
		}
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// TestHeadsByLink: a log has the same heads under another name.
func TestHeadsByLink(t *testing.T) {
	dir := t.TempDir()
	path, link, heads := filepath.Join(dir, "log"), filepath.Join(dir, "link"), audit.Heads(filepath.Join(dir, "heads"))
	writeRun(t, path, heads, "A")
	if err := os.Symlink("log", link); err != nil {
		t.Skip(err)
	}
	writeRun(t, link, heads, "B")
	for _, name := range []string{path, link} {
		if end, _ := endOf(t, name, heads); end.State != audit.EndKept {
			t.Errorf("%s: %s", name, end.State)
		}
	}
	cut(4)(t, path, heads)
	if end, missing := endOf(t, link, heads); end.State != audit.EndCut || missing != 1 {
		t.Errorf("%s, %d", end.State, missing)
	}
}

// TestHeadsBegunAnew: the head of an earlier log at the path is reported.
func TestHeadsBegunAnew(t *testing.T) {
	path, heads := filepath.Join(t.TempDir(), "log"), audit.Heads(filepath.Join(t.TempDir(), "heads"))
	writeRun(t, path, heads, "A")
	head := verify(t, content(t, path)).Head
	remove(t, path)
	writeRun(t, path, heads, "B")
	writeRun(t, path, heads, "C")
	if end, _ := endOf(t, path, heads); end.Earlier != head {
		t.Errorf("got %s, want %s", end.Earlier, head)
	}
}

// TestHeadsNotKept: a log is written even if its head cannot be kept.
func TestHeadsNotKept(t *testing.T) {
	path, heads := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(heads, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(path, audit.Options{Heads: audit.Heads(heads)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, r := range small() {
		if err := l.Append(&r); err != nil {
			t.Fatal(err)
		}
	}
	if l.HeadError() == nil {
		t.Error("no error")
	}
	if report := verify(t, content(t, path)); report.Broken || report.Records != len(small()) {
		t.Errorf("got %+v", report)
	}
}

// TestWaitEnds: a wait for another writer is reported, and ends with the run.
func TestWaitEnds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process does not wait for its own locks there")
	}
	path := filepath.Join(t.TempDir(), "log")
	create(t, path, small()...)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := audit.Lock(f); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	told := 0
	_, err = audit.Open(path, audit.Options{Done: done, Slow: func() {
		told++
		close(done)
	}})
	if err == nil || errors.Is(err, os.ErrNotExist) || told != 1 {
		t.Errorf("got %v, told %d times", err, told)
	}
}

// TestHeadsOfAKilledRun: the next run removes the files of one that was killed while
// writing.
func TestHeadsOfAKilledRun(t *testing.T) {
	heads, log := audit.Heads(filepath.Join(t.TempDir(), "heads")), filepath.Join(t.TempDir(), "log.jsonl")
	writeRun(t, log, heads, "1")
	kept, err := filepath.Glob(filepath.Join(string(heads), "*", "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%q is kept, %v", kept, err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(kept[0]), ".stagecraft-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	writeRun(t, log, heads, "2")
	if left, _ := os.ReadDir(filepath.Dir(kept[0])); len(left) != 1 {
		t.Errorf("%v is left", left)
	}
}
