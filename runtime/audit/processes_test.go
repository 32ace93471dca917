package audit_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// helperEnv says what a copy of the test binary does in place of the tests.
const helperEnv = "AUDIT_TEST_HELPER"

func TestMain(m *testing.M) {
	if what := os.Getenv(helperEnv); what != "" {
		if err := helper(what, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func helper(what string, args []string) error {
	switch what {
	case "append":
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return appendRun(args[0], args[1], n)
	case "half":
		return appendHalf(args[0])
	case "full":
		return appendToFull(args[0])
	}
	return fmt.Errorf("no helper %q", what)
}

func start(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), helperEnv+"="+what)
	cmd.Stderr = os.Stderr
	return cmd
}

// appendRun writes a run of n calls, and says the number of each that is
// written.
func appendRun(path, id string, n int) error {
	l, err := audit.Open(path, audit.Options{})
	if err != nil {
		return err
	}
	defer l.Close()
	r := newRun(id)
	first, last := r.start("dev"), r.end(n, "done", 0, n, 0)
	if err := l.Append(&first); err != nil {
		return err
	}
	for i := range n {
		rec := r.call(i+1, i, 1, "exec", "exec true")
		if err := l.Append(&rec); err != nil {
			return err
		}
		fmt.Println(rec.Call)
	}
	return l.Append(&last)
}

// TestProcesses has 8 of them write to one log at once.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	const processes, calls = 8, 998 // and a start and an end
	var all []*exec.Cmd
	for i := range processes {
		cmd := start(t, "append", path, fmt.Sprint("RUN", i), fmt.Sprint(calls))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	report, records := readFile(t, path)
	if len(report.Findings) > 0 || report.Records != processes*(calls+2) || report.Runs != processes {
		t.Errorf("got %+v", report)
	}
	seen := make(map[string]bool)
	for _, r := range records {
		seen[fmt.Sprint(r.Run, r.Type, r.Call)] = true
	}
	if len(seen) != processes*(calls+2) {
		t.Errorf("%d records differ", len(seen))
	}
}

// appendHalf holds the lock, has written half of a record, and waits to be
// killed.
func appendHalf(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if err := audit.Lock(f); err != nil {
		return err
	}
	r := newRun("KILLED").start("dev")
	line, err := audit.LineOf(&r)
	if err != nil {
		return err
	}
	if _, err := f.Write(line[:len(line)/2]); err != nil {
		return err
	}
	fmt.Println("half")
	_, err = os.Stdin.Read(make([]byte, 1))
	return err
}

// TestKilledInMidWrite kills a writer that has written half of a record.
func TestKilledInMidWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	create(t, path, small()...)
	cmd := start(t, "half", path)
	killAfter(t, cmd, 1)
	report, records := readFile(t, path)
	if report.Broken || len(report.Findings) != 1 || report.Findings[0].Line != 8 || report.Findings[0].Kind != audit.Torn || len(records) != 7 {
		t.Errorf("got %+v", report)
	}
	r := newRun("NEXT")
	create(t, path, r.start("dev"), r.end(1, "done", 0, 0, 0))
	report, records = readFile(t, path)
	if report.Broken || len(report.Findings) != 1 || report.Findings[0].Line != 8 || report.Findings[0].Kind != audit.Torn || len(records) != 9 {
		t.Errorf("after more: %+v", report)
	}
}

// TestKilled kills writers at random moments, and requires every record that was written.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	random := rand.New(rand.NewPCG(1, 2))
	told := make(map[string]int)
	for i := range 25 {
		id := fmt.Sprint("RUN", i)
		told[id] = killAfter(t, start(t, "append", path, id, "1000000"), 1+random.IntN(40))
	}
	report, records := readFile(t, path)
	last := make(map[string]int)
	for _, r := range records {
		last[r.Run] = r.Call
	}
	for id, n := range told {
		if last[id] < n {
			t.Errorf("run %s wrote %d calls, the log has %d", id, n, last[id])
		}
	}
	if report.Broken || report.Runs != len(told) {
		t.Errorf("got %+v", report)
	}
	unfinished := 0
	for _, f := range report.Findings {
		if f.Kind == audit.Unfinished {
			unfinished++
		}
	}
	if unfinished != len(told) {
		t.Errorf("of %d killed runs %d are found: %v", len(told), unfinished, report.Findings)
	}
}

// killAfter kills a process without warning after it has said some lines, and
// gives the number in the last.
func killAfter(t *testing.T, cmd *exec.Cmd, said int) int {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// It may wait for this, which says nothing.
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, last := bufio.NewScanner(out), ""
	for range said {
		if !lines.Scan() {
			t.Fatalf("it ended by itself: %v", lines.Err())
		}
		last = lines.Text()
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		last = lines.Text()
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("it was not killed")
	}
	n, _ := strconv.Atoi(last)
	return n
}

// TestFull has the file reach a limit in the middle of a record.
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	cmd := start(t, "full", path)
	out, err := cmd.Output()
	if strings.TrimSpace(string(out)) == "unsupported" {
		t.Skip("no such limit on this system")
	}
	if err != nil {
		t.Fatal(err)
	}
	report, records := readFile(t, path)
	if len(report.Findings) > 0 || len(records) != 3 || records[1].Asked != "short" {
		t.Errorf("got %+v, %d records", report, len(records))
	}
	if !bytes.Contains(out, []byte("large")) {
		t.Errorf("the error is %s", out)
	}
}
