package exec

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// confined confines a project's commands as a policy says.
func (p *project) confined(t *testing.T, policy string, environ []string, watch bool) {
	t.Helper()
	var policies []capability.Confinement
	if policy != "" {
		parsed, err := capability.Parse("policy.yml", []byte("version: 1\nproviders: {test: {exec: ['sh **'], "+policy+"}}"))
		if err != nil {
			t.Fatal(err)
		}
		policies = capability.Confine([]*capability.Policy{parsed}, "test")
	}
	confinement, err := NewConfinement(ConfinementOptions{Project: p.Project, Environ: environ, Passed: environ, Policies: policies, Watch: watch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := confinement.Close(); err != nil {
			t.Error(err)
		}
	})
	p.Confinement = confinement
	p.Environ, p.ChildEnv = environ, confinement.Environ(environ)
}

// watched has what commands use watched, from the world that they run in.
func (p *project) watched(t *testing.T, policy string, environ ...string) *hostfuncs.Gate {
	t.Helper()
	environ = append([]string{"PATH=/usr/bin:/bin", "TMPDIR=/nowhere"}, environ...)
	p.confined(t, policy, environ, true)
	return p.gate(t, allowShell)
}

func (p *project) used(t *testing.T) capability.Used {
	t.Helper()
	used, err := p.Confinement.Used()
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// TestUsed: uses of commands are reported in the terms of a policy, without those that
// are always allowed, for both ways to run a command.
func TestUsed(t *testing.T) {
	p := newProject(t, map[string]string{"a": "", "b": "", "d/c": "", "run.sh": "#!/bin/sh\necho x >d/new\n"})
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(p.Root, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	g := p.watched(t, "", "HOME="+home)
	hosttest.Call(t, g, abi.OpExec, shell("cat a; cat gone; ls d; cat \"$HOME\"/.gitconfig; cd \"$HOME\"; mkdir .cache; mkdir .cache/go-build; mkdir .cache/go-build/x; echo x >\"$(mktemp)\"; ls \"$HOME\"; exit 3"))
	hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"./run.sh"}})
	script(t, g, "echo x >b", nil)
	wait(t, g, abi.ProcessWaitRequest{})
	want := capability.Used{Uses: []capability.Use{
		{Kind: capability.UseList, Path: home},
		{Kind: capability.UseMkdir, Path: home + "/.cache", By: []string{"deno", "go"}},
		{Kind: capability.UseMkdir, Path: home + "/.cache/go-build", By: []string{"go"}},
		{Kind: capability.UseMkdir, Path: home + "/.cache/go-build/x", By: []string{"go"}},
		{Kind: capability.UseRead, Path: home + "/.gitconfig", By: []string{"git", "go"}},
		{Kind: capability.UseRead, Path: "a"},
		{Kind: capability.UseWrite, Path: "b"},
		{Kind: capability.UseList, Path: "d"},
		{Kind: capability.UseMake, Path: "d"},
	}}
	if diff := cmp.Diff(want, p.used(t)); diff != "" {
		t.Error(diff)
	}
}

// connectsEnv names sockets, with a colon between them.
const connectsEnv = "STAGECRAFT_TEST_CONNECTS"

// TestConnects is what TestUsedSocket runs: it connects to sockets.
func TestConnects(t *testing.T) {
	for name := range strings.SplitSeq(os.Getenv(connectsEnv), ":") {
		if name == "" {
			continue
		}
		c, err := net.Dial("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestUsedSocket: Docker's is known by name, wherever it is.
func TestUsedSocket(t *testing.T) {
	p := newProject(t, nil)
	g := p.watched(t, "", "DOCKER_HOST=unix://"+p.Root+"/docker.sock")
	t.Chdir(p.Root) // the path of a socket is short, and that of the project may not be
	for _, name := range []string{"docker.sock", "other.sock"} {
		l, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	connect := connectsEnv + "=docker.sock:other.sock '" + self + "' -test.run '^TestConnects$'"
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, shell(connect))); got.ExitCode != 0 {
		t.Fatalf("got %+v", got)
	}
	sockets := slices.DeleteFunc(p.used(t).Uses, func(u capability.Use) bool { return u.Kind != capability.UseSocket })
	want := []capability.Use{{Kind: capability.UseSocket, Path: "docker.sock", By: []string{"docker"}}, {Kind: capability.UseSocket, Path: "other.sock"}}
	if diff := cmp.Diff(want, sockets); diff != "" {
		t.Error(diff)
	}
}

// TestUnwatched: commands that cannot be watched run, and are reported.
func TestUnwatched(t *testing.T) {
	p := newProject(t, map[string]string{"encore": "#!/bin/sh\nexit 3\n"})
	if err := os.Chmod(filepath.Join(p.Root, "encore"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.watched(t, "")
	p.Daemons = [][]string{{"encore", "daemon", "-f"}}
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['./encore'], daemons: [encore daemon -f]}}")
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"./encore"}})); got.ExitCode != 3 {
		t.Errorf("got %+v", got)
	}
	if got := p.used(t).Missed; len(got) != 1 || !strings.Contains(got[0], "daemon") {
		t.Errorf("missed %q", got)
	}
	g = p.watched(t, "files: {}")
	for range 2 {
		if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, shell("exit 3"))); got.ExitCode != 3 {
			t.Errorf("got %+v", got)
		}
	}
	if got := p.used(t); len(got.Uses) > 0 || len(got.Missed) != 1 || !strings.Contains(got.Missed[0], "confined") {
		t.Errorf("got %+v", got)
	}
}

// TestFailedUnder: that a confined command failed is known, for both ways to run
// one; one that exceeded a limit has failed for that.
func TestFailedUnder(t *testing.T) {
	environ := []string{"PATH=/usr/bin:/bin"}
	for name, tt := range map[string]struct {
		policy string
		run    func(*project, *hostfuncs.Gate)
		want   []string
	}{
		"exec":          {"files: {}", func(_ *project, g *hostfuncs.Gate) { hosttest.Call(t, g, abi.OpExec, shell("exit 3")) }, []string{"policy.yml"}},
		"process_start": {"files: {}", func(_ *project, g *hostfuncs.Gate) { script(t, g, "exit 3", nil); wait(t, g, abi.ProcessWaitRequest{}) }, []string{"policy.yml"}},
		"success":       {"files: {}", func(_ *project, g *hostfuncs.Gate) { hosttest.Call(t, g, abi.OpExec, shell("exit 0")) }, nil},
		"not confined":  {"", func(_ *project, g *hostfuncs.Gate) { hosttest.Call(t, g, abi.OpExec, shell("exit 3")) }, nil},
		"timeout": {"files: {}", func(_ *project, g *hostfuncs.Gate) {
			hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: shell("sleep 1000").Argv, TimeoutMS: 1})
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, nil)
			p.confined(t, tt.policy, environ, false)
			tt.run(p, p.gate(t, allowShell))
			if got := p.Confinement.FailedUnder(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestCut: a command that uses more than is kept is not one that could not be watched.
func TestCut(t *testing.T) {
	p := newProject(t, nil)
	p.watched(t, "")
	commandWatch{watch: p.Confinement.watch}.More()
	if got := p.used(t); !got.Cut || len(got.Missed) > 0 {
		t.Errorf("got %+v", got)
	}
}
