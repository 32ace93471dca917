package exec

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/denial"
)

// confined has a project's commands held to what a policy says.
func (p *project) confined(t *testing.T, policy string, environ []string) {
	t.Helper()
	var policies []capability.Confinement
	if policy != "" {
		parsed, err := capability.Parse("policy.yml", []byte("version: 1\nproviders: {test: {exec: ['sh **'], "+policy+"}}"))
		if err != nil {
			t.Fatal(err)
		}
		policies = capability.Confine([]*capability.Policy{parsed}, "test")
	}
	held, err := NewConfinement(p.Root, environ, environ, policies, capability.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := held.Close(); err != nil {
			t.Error(err)
		}
	})
	p.Confinement = held
	p.Environ, p.ChildEnv = environ, held.Environ(environ)
}

// watched has what commands use watched, from the world that they run in.
func (p *project) watched(t *testing.T, policy string, environ ...string) *Gate {
	t.Helper()
	environ = append([]string{"PATH=/usr/bin:/bin", "TMPDIR=/nowhere"}, environ...)
	p.confined(t, policy, environ)
	if err := p.Confinement.Watch(); err != nil {
		t.Fatal(err)
	}
	p.ChildEnv = p.Confinement.Environ(environ)
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

// TestUsed: what commands use is told as a policy would say it, without what they
// may use in any case, for both ways to run one.
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
	call(t, g, abi.OpExec, shell("cat a; cat gone; ls d; cat \"$HOME\"/.gitconfig; cd \"$HOME\"; mkdir .cache; mkdir .cache/go-build; mkdir .cache/go-build/x; echo x >\"$(mktemp)\"; ls \"$HOME\"; exit 3"))
	call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"./run.sh"}})
	script(t, g, "echo x >b", nil)
	wait(t, g, abi.ProcessWaitRequest{})
	want := capability.Used{Uses: []capability.Use{
		{Kind: capability.UseList, Path: home},
		{Kind: capability.UseMkdir, Path: home + "/.cache", By: []string{"go"}},
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
	if got := as[abi.ExecResult](t, call(t, g, abi.OpExec, shell(connect))); got.ExitCode != 0 {
		t.Fatalf("got %+v", got)
	}
	sockets := slices.DeleteFunc(p.used(t).Uses, func(u capability.Use) bool { return u.Kind != capability.UseSocket })
	want := []capability.Use{{Kind: capability.UseSocket, Path: "docker.sock", By: []string{"docker"}}, {Kind: capability.UseSocket, Path: "other.sock"}}
	if diff := cmp.Diff(want, sockets); diff != "" {
		t.Error(diff)
	}
}

// TestUnwatched: what can't be watched runs, and is told of.
func TestUnwatched(t *testing.T) {
	p := newProject(t, map[string]string{"encore": "#!/bin/sh\nexit 3\n"})
	if err := os.Chmod(filepath.Join(p.Root, "encore"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.watched(t, "")
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['./encore']}}")
	if got := as[abi.ExecResult](t, call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"./encore"}})); got.ExitCode != 3 {
		t.Errorf("got %+v", got)
	}
	if got := p.used(t).Missed; len(got) != 1 || !strings.Contains(got[0], "daemon") {
		t.Errorf("missed %q", got)
	}
	g = p.watched(t, "files: {}")
	for range 2 {
		if got := as[abi.ExecResult](t, call(t, g, abi.OpExec, shell("exit 3"))); got.ExitCode != 3 {
			t.Errorf("got %+v", got)
		}
	}
	if got := p.used(t); len(got.Uses) > 0 || len(got.Missed) != 1 || !strings.Contains(got.Missed[0], "confined") {
		t.Errorf("got %+v", got)
	}
}

// TestRefused: what a command that failed says that it was denied is told, with the
// line, where its rules deny it, and for both ways to run one.
func TestRefused(t *testing.T) {
	p := newProject(t, map[string]string{"a": "", "secret": "", "d/c": ""})
	p.confined(t, "files: {read: ['d/**', own]}, net: {connect: [80]}", []string{"PATH=/usr/bin:/bin", "HOME=/nowhere"})
	g := p.gate(t, allowShell)
	call(t, g, abi.OpExec, shell("cat a"))
	call(t, g, abi.OpExec, shell("cat secret; exit 0"))
	script(t, g, "echo x >d/c; cat a; exit 1", nil)
	wait(t, g, abi.ProcessWaitRequest{})
	want := []string{
		"policy.yml confines commands and lets none read a: add a to files.read of provider test",
		"policy.yml confines commands and lets none write d/c: add d/c to files.write of provider test",
	}
	if diff := cmp.Diff(want, p.Confinement.Refused("test")); diff != "" {
		t.Error(diff)
	}
	// There is an end to it.
	call(t, g, abi.OpExec, shell("for i in 1 2 3 4 5 6 7 8 9; do echo \"cat: new$i/x: Permission denied\"; mkdir -p d/$i; echo \"listen tcp :$i: bind: permission denied\"; done; exit 1"))
	if got := p.Confinement.Refused("test"); len(got) != maxRefused {
		t.Errorf("got %q", got)
	}
}

// TestUseOf: what was found is compared with the rules.
func TestUseOf(t *testing.T) {
	p := newProject(t, map[string]string{"read/a": "", "write/a": "", "other/a": ""})
	if err := os.Symlink("other", filepath.Join(p.Root, "read", "link")); err != nil {
		t.Fatal(err)
	}
	rules := confine.Rules{Read: []string{p.Root + "/read"}, Write: []string{p.Root + "/write"}, Connect: []uint16{80}, Listen: []uint16{80}}
	for _, tt := range []struct {
		found denial.Found
		want  string
	}{
		{denial.Found{Path: "read/a"}, "w read/a"},
		{denial.Found{Path: "./read/../read/a", Moves: true}, "m read"},
		{denial.Found{Path: "read"}, "m read"},
		{denial.Found{Path: "read/new"}, "m read"},
		{denial.Found{Path: "read/new/er"}, ""},
		{denial.Found{Path: "write/a"}, ""},
		{denial.Found{Path: "write/a", Moves: true}, ""},
		{denial.Found{Path: "write/new"}, ""},
		{denial.Found{Path: "other"}, "l other"},
		{denial.Found{Path: p.Root + "/other/a"}, "r other/a"},
		{denial.Found{Path: "read/../other/a"}, "r other/a"},
		{denial.Found{Path: "a\x00b"}, "m ."},
		{denial.Found{Kind: denial.Connect, Port: 80}, ""},
		{denial.Found{Kind: denial.Connect, Port: 81}, "c 81"},
		{denial.Found{Kind: denial.Listen, Port: 81}, "b 81"},
		{denial.Found{Kind: denial.UDP, Port: 80}, "u 80"},
	} {
		use, ok := useOf(tt.found, p.Root, rules)
		got := fmt.Sprintf("%c %d", use.Kind, use.Port)
		if rel, err := filepath.Rel(p.Root, use.Path); err == nil {
			got = fmt.Sprintf("%c %s", use.Kind, rel)
		}
		if !ok {
			got = ""
		}
		if got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.found, got, tt.want)
		}
	}
}

// TestWording has what is outside of the project, and two policies.
func TestWording(t *testing.T) {
	p := newProject(t, map[string]string{"a": ""})
	p.confined(t, "files: {}, net: {}", []string{"HOME=/h"})
	p.Confinement.each = append(p.Confinement.each, heldBy{policy: "ceiling.yml"})
	known, err := p.Confinement.known()
	if err != nil {
		t.Fatal(err)
	}
	const both = "policy.yml and ceiling.yml confine commands and let none "
	for use, want := range map[confine.Use]string{
		{Kind: confine.UseRead, Path: "/h/.gitconfig"}:                    both + "read /h/.gitconfig: add git or go to use of provider test",
		{Kind: confine.UseMake, Path: "/h/.npm"}:                          both + "make or remove anything in /h/.npm: add node to use of provider test",
		{Kind: confine.UseRead, Path: "/h/x\x1b[31m"}:                     both + "read /h/x: no rule can allow it",
		{Kind: confine.UseMake, Path: os.TempDir() + "/x"}:                both + "make or remove anything in " + os.TempDir() + "/x: no rule can allow it, but the directory for temporary files that TMPDIR names is the run's own",
		{Kind: confine.UseSocket, Path: known["docker"].rules.Sockets[0]}: both + "connect to " + known["docker"].rules.Sockets[0] + ": add docker to sockets of provider test",
		{Kind: confine.UseSocket, Path: p.Root + "/s"}:                    both + "connect to s: no rule can allow it",
		{Kind: confine.UseMake, Path: p.Root}:                             both + `make or remove anything in .: add "**" to files.write of provider test`,
		{Kind: confine.UseList, Path: p.Root + "/a b"}:                    both + `list a b: add a b to files.list of provider test`,
		{Kind: confine.UseConnect, Port: 80}:                              both + "connect to port 80: add 80 to net.connect of provider test",
		{Kind: confine.UseListen, Port: 80}:                               both + "listen on port 80: add 80 to net.listen of provider test",
		{Kind: confine.UseUDP, Port: 53}:                                  both + `use UDP, as for port 53: add "*" to net.connect of provider test`,
	} {
		if got := p.Confinement.refusal(use, "test", known); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
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
