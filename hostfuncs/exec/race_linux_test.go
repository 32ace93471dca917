package exec

import (
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

var races = flag.Int("races", providertest.Rounds(500), "how often each race is run")

// race calls a command again and again, while two names are exchanged. Each time
// it has to say "right" or be refused.
type race struct {
	policy   string
	request  abi.ExecRequest
	one, two string // the names
	confined bool
}

// sh is a shell with a word at its end, which it prints: a different file for each word,
// and the same program.
func sh(t *testing.T, word string) string {
	t.Helper()
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	return string(shell) + word
}

// TestRaces exchanges what a decision is about for something else, from before
// the decision until after the start. What runs is what was decided on.
func TestRaces(t *testing.T) {
	tell := []string{"-c", "tail -c 5 /proc/$$/exe"}
	files := map[string]string{
		"sh": sh(t, "right"), "sh2": sh(t, "wrong"), "right/sh": sh(t, "right"), "wrong/sh": sh(t, "wrong"),
		"run": "#!/bin/sh\nprintf right\n", "run2": "#!/bin/sh\nprintf wrong\n",
		"in/say": "right", "bin/": "",
	}
	for name, r := range map[string]race{
		"a pinned program": {
			policy: "{command: ./sh **, sha256: DIGEST(sh)}", request: abi.ExecRequest{Argv: append([]string{"./sh"}, tell...)},
			one: "sh", two: "sh2",
		},
		"a pinned script": {
			policy: "{command: ./run, sha256: DIGEST(run)}", request: abi.ExecRequest{Argv: []string{"./run"}},
			one: "run", two: "run2",
		},
		"a pinned program in PATH": {
			policy: "{command: sh **, sha256: DIGEST(sh)}", request: abi.ExecRequest{Argv: append([]string{"sh"}, tell...)},
			one: "bin/sh", two: "bin/sh2",
		},
		"a pinned script in PATH": {
			policy: "{command: run, sha256: DIGEST(run)}", request: abi.ExecRequest{Argv: []string{"run"}},
			one: "bin/run", two: "bin/run2",
		},
		"a program by a link": {
			policy: "right/sh **", request: abi.ExecRequest{Argv: append([]string{"link/sh"}, tell...)},
			one: "link", two: "link2",
		},
		"a working directory": {
			policy: "cat say", request: abi.ExecRequest{Argv: []string{"cat", "say"}, Dir: "in"},
			one: "in", two: "outside",
		},
	} {
		for _, confined := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				r.confined = confined
				r.run(t, newProject(t, files))
			})
		}
	}
}

// TestNothingStaysOpen: whatever becomes of a call, what was opened for it is closed.
func TestNothingStaysOpen(t *testing.T) {
	p := newProject(t, map[string]string{"run": "#!/bin/sh\n", "in/": ""})
	request := abi.ExecRequest{Argv: []string{p.Root + "/run"}, Dir: "in"}
	wrong := request
	outside := abi.EnvRef("A", "../outside")
	wrong.Stdin = &outside
	for name, g := range map[string]*hostfuncs.Gate{
		"allowed": p.gate(t, hosttest.Everything), "denied": p.gate(t, ""),
		"planned": p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Plan = new(hostfuncs.Plan) }),
	} {
		for _, q := range []any{request, wrong} {
			hosttest.Call(t, g, abi.OpExec, q)
			data, err := json.Marshal(q)
			if err != nil {
				t.Fatal(err)
			}
			// One of them is refused before there is anything to explain.
			_, _ = g.Explain(t.Context(), abi.OpExec, data)
		}
		start := abi.ProcessStartRequest{Argv: request.Argv, Dir: request.Dir}
		hosttest.Call(t, g, abi.OpProcessStart, start)
		if open := openBelow(t, p.Root); len(open) > 0 {
			t.Errorf("%s: these are open: %q", name, open)
		}
	}
}

// openBelow are the files that this process has open below a directory.
func openBelow(t *testing.T, root string) (open []string) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if name, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(name, root) {
			open = append(open, name)
		}
	}
	return open
}

func (r race) run(t *testing.T, p *project) {
	elsewhere := t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "say"), []byte("wrong"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"link": "right", "link2": "wrong", "outside": elsewhere,
		"bin/sh": "../sh", "bin/sh2": "../sh2", "bin/run": "../run", "bin/run2": "../run2",
	} {
		if err := os.Symlink(to, filepath.Join(p.Root, link)); err != nil {
			t.Fatal(err)
		}
	}
	p.Environ = append(p.Environ, "PATH="+filepath.Join(p.Root, "bin")+":"+os.Getenv("PATH"))
	g := p.racing(t, r)
	r.request.Capture = true
	one, two := filepath.Join(p.Root, r.one), filepath.Join(p.Root, r.two)
	exchange := func() error { return unix.Renameat2(unix.AT_FDCWD, one, unix.AT_FDCWD, two, unix.RENAME_EXCHANGE) }
	if err := exchange(); errors.Is(err, unix.EINVAL) {
		t.Skipf("the file system of %s exchanges no names: set TMPDIR", p.Root)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := exchange(); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan error)
	go func() { stopped <- exchangeUntil(stop, exchange) }()
	right := 0
	for range *races {
		reply := hosttest.Call(t, g, abi.OpExec, r.request)
		if reply.Error != nil {
			continue
		}
		if got := hosttest.As[abi.ExecResult](t, reply); got.Stdout == "right" {
			right++
		} else if got.ExitCode == 0 {
			t.Fatalf("what ran says %q", got.Stdout)
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d ran", right, *races)
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, r.request)); got.Stdout != "right" {
		t.Errorf("without a race it says %q", got.Stdout)
	}
}

// exchangeUntil exchanges back and forth with random pauses, so that exchanges happen at
// each step of a call, and in some calls not at all.
func exchangeUntil(stop <-chan struct{}, exchange func() error) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		for range 2 * (1 + rand.IntN(16)) {
			if err := exchange(); err != nil {
				return err
			}
			if rand.IntN(2) == 0 {
				time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
			}
		}
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
	}
}

// racing is the gate for a race.
func (p *project) racing(t *testing.T, r race) *hostfuncs.Gate {
	t.Helper()
	rule := r.policy
	for _, name := range []string{"sh", "run"} {
		rule = strings.ReplaceAll(rule, "DIGEST("+name+")", fileDigest(t, filepath.Join(p.Root, name)))
	}
	text := "version: 1\nproviders: {test: {exec: [" + rule + "]"
	if r.confined {
		text += ", files: {read: [in/**]}"
	}
	text += "}}"
	return p.confinedGate(t, text)
}

// confinedGate is the gate under a policy that confines commands.
func (p *project) confinedGate(t *testing.T, text string) *hostfuncs.Gate {
	t.Helper()
	policies := hosttest.Policies(t, text)
	p.Pins = func(x *capability.Exec) bool { return capability.Pins(policies, "test", x) }
	var err error
	p.Confinement, err = NewConfinement(ConfinementOptions{
		Project: p.Project, Environ: p.Environ, Passed: p.Environ, Policies: capability.Confine(policies, "test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Confinement.Close() })
	if missing := p.Confinement.Missing(); len(missing) > 0 {
		t.Skipf("this system cannot confine: %s", strings.Join(missing, "; "))
	}
	return p.gate(t, text)
}
