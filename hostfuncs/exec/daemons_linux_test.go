package exec

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
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
			p := newProject(t, nil)
			self, err := filepath.EvalSymlinks("/bin/sh")
			if err != nil {
				t.Fatal(err)
			}
			// A shell under another name, whose script is its first argument.
			data, err := os.ReadFile(self)
			if err != nil {
				t.Fatal(err)
			}
			bin := filepath.Join(t.TempDir(), "bin")
			for path, content := range map[string][]byte{
				filepath.Join(bin, "sleeper"):  data,
				filepath.Join(p.Root, "start"): []byte("setsid sleeper 1000 & echo $! >pid\nuntil [ -e ran ]; do :; done\n"),
				filepath.Join(p.Root, "1000"):  []byte("touch ran; sleep 1000 & wait\n"),
			} {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, content, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			p.Environ = []string{"PATH=" + bin + ":/usr/bin:/bin"}
			p.ChildEnv = p.Environ
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
			if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"sleeper", "start"}})); got.ExitCode != 0 {
				t.Fatalf("got %+v", got)
			}
			text, err := os.ReadFile(filepath.Join(p.Root, "pid"))
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Kill(-pid, syscall.SIGKILL) })
			told := false
			for _, s := range Stayed() {
				told = told || s.PID == pid
			}
			if lives := syscall.Kill(pid, 0) == nil; lives != tt.stays || told != tt.stays {
				t.Errorf("lives: %v, told: %v, want %v", lives, told, tt.stays)
			}
		})
	}
}
