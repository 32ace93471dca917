package exec

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// TestDaemonsEnd: what a command starts in a session of its own outlives it where the
// provider asks for it and every policy names it, and ends with it otherwise.
func TestDaemonsEnd(t *testing.T) {
	const named, unnamed = "version: 1\nproviders: {test: {exec: ['sleeper **'], daemons: [sleeper 1000, sh 1000]}}", "version: 1\nproviders: {test: {exec: ['sleeper **']}}"
	daemon := [][]string{{"sleeper", "1000"}}
	for name, tt := range map[string]struct {
		asked    [][]string
		policies []string
		stays    bool
	}{
		"asked and named":           {daemon, []string{named}, true},
		"not asked for":             {nil, []string{named}, false},
		"asked for, not named":      {daemon, []string{unnamed}, false},
		"forbidden by a ceiling":    {daemon, []string{named, unnamed}, false},
		"asked with other words":    {[][]string{{"sleeper", "999"}}, []string{named}, false},
		"asked for another program": {[][]string{{"sh", "1000"}}, []string{named}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := sleeperProject(t, "touch out/ran; sleep 1000 & wait\n")
			var policies []*capability.Policy
			for _, text := range tt.policies {
				policy, err := capability.Parse("policy.yml", []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				policies = append(policies, policy)
			}
			p.Daemons = capability.Daemons(policies, "test", tt.asked)
			g := p.gate(t, tt.policies[0])
			pid := startSleeper(t, p, g)
			listed := false
			for _, s := range Stayed() {
				listed = listed || s.PID == pid
			}
			if lives := syscall.Kill(pid, 0) == nil; lives != tt.stays || listed != tt.stays {
				t.Errorf("lives: %v, listed: %v, want %v", lives, listed, tt.stays)
			}
		})
	}
}

// TestDaemonStaysConfined: a daemon that outlives its command keeps the command's
// confinement.
func TestDaemonStaysConfined(t *testing.T) {
	p := sleeperProject(t, "cat secret >out/read 2>&1; touch out/ran; sleep 1000 & wait\n")
	if err := os.WriteFile(filepath.Join(p.Root, "secret"), []byte("s3cret"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Daemons = [][]string{{"sleeper", "1000"}}
	g := p.confinedGate(t, "version: 1\nproviders: {test: {exec: ['sleeper **'], daemons: [sleeper 1000], files: {read: [start, '1000'], write: ['out/**']}}}")
	pid := startSleeper(t, p, g)
	if err := syscall.Kill(pid, 0); err != nil {
		t.Errorf("the daemon does not run: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(p.Root, "out", "read"))
	if err != nil || strings.Contains(string(text), "s3cret") || !strings.Contains(string(text), "denied") {
		t.Errorf("the daemon reads %q, %v", text, err)
	}
}

// sleeperProject is a project with a program "sleeper", a shell under another name.
// Its script "start" leaves "sleeper 1000", which runs the daemon's script, running.
func sleeperProject(t *testing.T, daemon string) *project {
	t.Helper()
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	p := newProject(t, map[string]string{
		"start": "setsid sleeper 1000 & echo $! >out/pid\nuntil [ -e out/ran ]; do :; done\n", "1000": daemon, "out/": "",
	})
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "sleeper"), shell, 0o755); err != nil {
		t.Fatal(err)
	}
	p.Environ = []string{"PATH=" + bin + ":/usr/bin:/bin"}
	p.ChildEnv = p.Environ
	return p
}

// startSleeper runs the script that leaves a daemon, and returns the daemon's process
// ID.
func startSleeper(t *testing.T, p *project, g *hostfuncs.Gate) int {
	t.Helper()
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"sleeper", "start"}})); got.ExitCode != 0 {
		t.Fatalf("got %+v", got)
	}
	text, err := os.ReadFile(filepath.Join(p.Root, "out", "pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-pid, syscall.SIGKILL) })
	return pid
}
