package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// basis lets the programs of the tests run.
func basis(t *testing.T) *confine.Rules {
	t.Helper()
	rules, err := confine.Profile("base", confine.Surroundings{})
	if err != nil {
		t.Fatal(err)
	}
	rules.AnyNet = true
	if missing := rules.Missing(confine.Probe()); len(missing) > 0 {
		t.Skipf("this system cannot confine: %s", strings.Join(missing, "; "))
	}
	rules = rules.Resolved(filepath.EvalSymlinks)
	return &rules
}

// TestConfined: the program and its descendants are confined, and we are not.
func TestConfined(t *testing.T) {
	c := shell(t, `cat here/a; cat there/b; (setsid sh -c 'cat there/b; echo x >there/c') ; exit 3`)
	for name, text := range map[string]string{"here/a": "may\n", "there/b": "may not\n"} {
		path := filepath.Join(c.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c.Confine = basis(t)
	c.Confine.Read = append(c.Confine.Read, filepath.Join(c.Dir, "here"))
	output, failed := expect("-"), expect("-")
	c.Stdout, c.Stderr = output, failed
	if res := run(t, c); res.ExitCode != 3 || output.String() != "may\n" || strings.Count(failed.String(), "ermission denied") != 3 {
		t.Errorf("got %+v, %q, %q", res, output, failed)
	}
	if _, err := os.ReadFile(filepath.Join(c.Dir, "there", "b")); err != nil {
		t.Error(err)
	}
	wantNoneLeft(t, c)
}

// TestConfinedToNoLink: a link in place of an allowed directory, as an earlier command
// can create it, allows nothing.
func TestConfinedToNoLink(t *testing.T) {
	c := shell(t, `cat link/a`)
	if err := os.Mkdir(filepath.Join(c.Dir, "there"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "there", "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(c.Dir, "link")
	if err := os.Symlink("there", link); err != nil {
		t.Fatal(err)
	}
	c.Confine = basis(t)
	c.Confine.Read = append(c.Confine.Read, link)
	if res := run(t, c); res.ExitCode != 1 {
		t.Errorf("a link is followed: %+v", res)
	}
	*c.Confine = c.Confine.Resolved(filepath.EvalSymlinks)
	if res := run(t, c); res.ExitCode != 0 {
		t.Errorf("its target is not allowed: %+v", res)
	}
}

// TestConfinedCantReachItsGuard: a confined program cannot signal or read its guard.
func TestConfinedCantReachItsGuard(t *testing.T) {
	c := shell(t, `kill -STOP $PPID; kill -KILL $PPID; cat /proc/$PPID/environ; exit 3`)
	c.Confine = basis(t)
	c.Confine.Read = append(c.Confine.Read, "/proc")
	failed := expect("-")
	c.Stderr = failed
	if res := run(t, c); res.ExitCode != 3 || strings.Count(failed.String(), "ermitted")+strings.Count(failed.String(), "denied") != 3 {
		t.Errorf("got %+v, %q", res, failed)
	}
	wantNoneLeft(t, c)
}

// TestConfinedEnds: a confined tree ends as well.
func TestConfinedEnds(t *testing.T) {
	wantTreesEnd(t, func(t *testing.T, c *Command) { c.Confine = basis(t) })
}

// wantTreesEnd runs each of the remnants, and wants nothing to be left.
func wantTreesEnd(t *testing.T, set func(*testing.T, *Command)) {
	for name, script := range remnants {
		t.Run(name, func(t *testing.T) {
			c := shell(t, script)
			c.Stdout, c.Stderr = expect("-"), expect("-")
			set(t, &c)
			if res := run(t, c); res.ExitCode != 3 || res.Left != 0 {
				t.Errorf("got %+v", res)
			}
			wantNoneLeft(t, c)
		})
	}
}

// TestProgramOutside: the error says why a program is not allowed to run.
func TestProgramOutside(t *testing.T) {
	c := shell(t, "")
	c.Program = filepath.Join(c.Dir, "script")
	if err := os.WriteFile(c.Program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.Confine = basis(t)
	_, err := Run(testContext(t), c)
	if err == nil || !strings.Contains(err.Error(), "the policy does not allow this file or its interpreter") {
		t.Errorf("got %v", err)
	}
	c.open(t)
	if res := run(t, c); res.ExitCode != 0 {
		t.Errorf("got %+v", res)
	}
}

// TestRulesThatCantBe: a program that cannot be confined is not started.
func TestRulesThatCantBe(t *testing.T) {
	c := shell(t, "touch ran")
	c.Confine = &confine.Rules{Read: []string{"relative"}}
	if _, err := Run(testContext(t), c); err == nil || !strings.Contains(err.Error(), "cannot be confined on this system") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "ran")); err == nil {
		t.Error("it ran")
	}
	wantNoneLeft(t, c)
}

func TestLimits(t *testing.T) {
	var most syscall.Rlimit
	if err := syscall.Getrlimit(unix.RLIMIT_NPROC, &most); err != nil || most.Max < 2000 {
		t.Skipf("we may have no more than %d processes ourselves, %v: raise ulimit -u", most.Max, err)
	}
	c := shell(t, `grep -E '^Max (open|proc)' /proc/self/limits; exit 3`)
	c.Limits = Limits{OpenFiles: 64, Processes: 1000}
	output := expect("-")
	c.Stdout = output
	if res := run(t, c); res.ExitCode != 3 {
		t.Errorf("got %+v", res)
	}
	// Processes are those that there are, and so many more.
	words := strings.Fields(output.String())
	if len(words) != 11 || len(words[2]) < 4 || words[2] != words[3] || words[8] != "64" || words[9] != "64" {
		t.Errorf("it may have %q", words)
	}
	var own syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &own); err != nil || own.Cur == 64 {
		t.Errorf("we may have %d, %v", own.Cur, err)
	}
}
