package exec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
	filewatch "github.com/stagecraft-dev/stagecraft/hostfuncs/internal/watch"
)

// reads returns a gate under a policy of files, whose denials apply to changes too.
func (p *project) reads(t *testing.T, rules string) *hostfuncs.Gate {
	t.Helper()
	policy := "version: 1\nproviders: {test: {exec: ['**'], files: {read: " + rules + "}}}"
	policies := hosttest.Policies(t, policy)
	p.Reads = func(path string) bool { return capability.Reads(policies, "test", path) }
	return p.gate(t, policy)
}

func (p *project) write(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(p.Root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func startWatch(t *testing.T, g *hostfuncs.Gate, paths ...string) int {
	t.Helper()
	return hosttest.As[abi.WatchResult](t, hosttest.Call(t, g, abi.OpWatch, abi.WatchRequest{Paths: paths, DebounceMS: 1})).ID
}

// changedUntil waits for changes until the last path is one of them, and returns all.
func changedUntil(t *testing.T, g *hostfuncs.Gate, id int, last string) []string {
	t.Helper()
	var all []string
	for !slices.Contains(all, last) {
		got := hosttest.As[abi.ProcessWaitResult](t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}))
		if got.Changed == nil || got.Changed.ID != id {
			t.Fatalf("got %+v", got)
		}
		all = append(all, got.Changed.Paths...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestWatch reports changes of what is watched, and nothing that a rule denies.
func TestWatch(t *testing.T) {
	p := newProject(t, map[string]string{"server/a.js": "", "server/secret/key": "", "server/a.test.js": "", "client/b.js": ""})
	g := p.reads(t, "{allow: ['server/**'], deny: ['server/secret/**', '**/*.pem']}")
	id := hosttest.As[abi.WatchResult](t, hosttest.Call(t, g, abi.OpWatch, abi.WatchRequest{
		Paths: []string{"server/**"}, Ignore: []string{"**/*.test.js"}, DebounceMS: 1,
	})).ID
	for _, name := range []string{"server/secret/key", "server/secret/more", "server/x.pem", "server/a.test.js", "client/b.js", "server/a.js", "server/z"} {
		p.write(t, name)
	}
	if got := changedUntil(t, g, id, "server/z"); !slices.Equal(got, []string{"server/a.js", "server/z"}) {
		t.Errorf("got %q", got)
	}
	if filewatch.MaxPaths != abi.MaxChanged {
		t.Errorf("at most %d paths, the ABI says %d", filewatch.MaxPaths, abi.MaxChanged)
	}
}

// TestWatchIsDecided: only what may be read may be watched, by its path without links.
func TestWatchIsDecided(t *testing.T) {
	p := newProject(t, map[string]string{"server/a": "", "lib/b": "", "package.json": ""})
	for name, to := range map[string]string{"link": "lib", "out": t.TempDir()} {
		if err := os.Symlink(to, filepath.Join(p.Root, name)); err != nil {
			t.Skip(err)
		}
	}
	g := p.reads(t, "['server/**', package.json, 'lib/*']")
	for path, code := range map[string]abi.Code{
		"server/**": "", "server": "", "server/a": "", "package.json": "", "server/later/**/*.js": "", "link/*": "", "lib/*": "",
		"**": abi.CodeDenied, "lib/**": abi.CodeDenied, "link": abi.CodeDenied, "link/**": abi.CodeDenied, "none/**": abi.CodeDenied, "package.json/**": abi.CodeDenied,
		"../**": abi.CodeInvalid, "out/**": abi.CodeInvalid, "/etc/**": abi.CodeInvalid, "": abi.CodeInvalid, "*.{js,ts}": abi.CodeInvalid,
		"**/a/**/b/**": abi.CodeInvalid,
	} {
		reply := hosttest.Call(t, g, abi.OpWatch, abi.WatchRequest{Paths: []string{path}})
		if code != "" {
			hosttest.WantError(t, reply, code, "")
			continue
		}
		id := hosttest.As[abi.WatchResult](t, reply).ID
		hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: id}))
	}
	for _, q := range []abi.WatchRequest{
		{}, {Paths: []string{"server"}, DebounceMS: -1}, {Paths: []string{"server"}, DebounceMS: abi.MaxDebounceMS + 1},
		{Paths: []string{"server"}, Ignore: []string{"../x"}},
	} {
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpWatch, q), abi.CodeInvalid, "")
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpWatch, abi.WatchRequest{Paths: slices.Repeat([]string{"server"}, maxPatterns+1)}), abi.CodeTooLarge, "patterns")
}

// TestWatchesAndPrograms share IDs, waits and stops.
func TestWatchesAndPrograms(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{"a/x": "", "b/x": ""})
	g := p.reads(t, "['**']")
	a, b := startWatch(t, g, "a/**"), startWatch(t, g, "b/**")
	program := hosttest.As[abi.ProcessStartResult](t, hosttest.Call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: []string{"sh", "-c", "echo hello"}})).ID
	if a != 1 || b != 2 || program != 3 {
		t.Errorf("IDs are %d, %d, %d", a, b, program)
	}
	if got := hosttest.As[abi.ProcessWaitResult](t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{})); got.Exited == nil || got.Exited.ID != program {
		t.Errorf("got %+v", got)
	}
	if text := p.Stdout.(*strings.Builder).String(); text != "hello\n" {
		t.Errorf("watches count as programs: %q", text)
	}
	p.write(t, "a/y")
	changedUntil(t, g, a, "a/y")
	p.write(t, "b/y")
	p.write(t, "a/z")
	// Only the named one is waited for, and the other one keeps its change.
	if got := hosttest.As[abi.ProcessWaitResult](t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{IDs: []int{b}})); got.Changed == nil || got.Changed.ID != b {
		t.Errorf("got %+v", got)
	}
	changedUntil(t, g, a, "a/z")
	for _, id := range []int{a, b} {
		if got := hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: id})); got.ID != id || got.ExitCode != 0 {
			t.Errorf("got %+v", got)
		}
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: id}), abi.CodeInvalid, "")
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}), abi.CodeInvalid, "")
}

// TestManyWatches: the limits of watches and programs are separate.
func TestManyWatches(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{"a/x": ""})
	g := p.reads(t, "['**']")
	for range abi.MaxFileWatches {
		startWatch(t, g, "a/**")
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpWatch, abi.WatchRequest{Paths: []string{"a"}}), abi.CodeTooLarge, "16 watches")
	hosttest.As[abi.ProcessStartResult](t, hosttest.Call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: []string{"true"}}))
	for range abi.MaxProcesses - 1 {
		hosttest.As[abi.ProcessStartResult](t, hosttest.Call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: []string{"sleep", "1000"}}))
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: []string{"true"}}), abi.CodeTooLarge, "16 programs")
	p.made.Close()
	for _, s := range p.made.started.list {
		// Closed before, it starts no second time: this returns at once.
		s.files.close()
		if s.files != nil && s.files.ready() {
			t.Error("a watch reports a change after its end")
		}
	}
}

// TestProbeEndsWithAChange: a probe ends as soon as process_wait would report a change.
func TestProbeEndsWithAChange(t *testing.T) {
	p := newProject(t, map[string]string{"a/x": ""})
	g := p.conducted(t, hosttest.Everything, func(*hostfuncs.GateOptions) {})
	p.made.opts.Reads = func(string) bool { return true }
	id := startWatch(t, g, "a/**")
	p.write(t, "a/x")
	got := hosttest.As[abi.ProbeResult](t, hosttest.Call(t, g, abi.OpProbe, abi.ProbeRequest{
		Address: "127.0.0.1:4", TimeoutMS: hosttest.Hangs.Milliseconds(), While: []int{id},
	}))
	if got.Answers {
		t.Errorf("got %+v", got)
	}
}

// TestPlanOfWatch: in a plan nothing is watched and nothing changes, and programs go on as
// without a watch.
func TestPlanOfWatch(t *testing.T) {
	p := newProject(t, map[string]string{"a/x": ""})
	p.Serves = true
	plan := new(hostfuncs.Plan)
	g := p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Plan = plan })
	id := startWatch(t, g, "./a/**", "b")
	hosttest.Call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: []string{"true"}, Watch: []string{"ready"}})
	p.write(t, "a/x")
	for _, line := range []string{`{"seen":{"id":2,"line":"ready"}}`, `{"interrupted":true}`, `{"exited":{"id":2,"exit_code":0,"interrupted":true}}`} {
		if got := hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}); string(got.OK) != line {
			t.Errorf("got %s %+v, want %s", got.OK, got.Error, line)
		}
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}), abi.CodeInterrupted, "no file changes")
	if step, ok := plan.Steps[0].Detail.(*WatchStep); !ok || !slices.Equal(step.Paths, []string{"a/**", "b"}) || step.DebounceMS != 1 || len(plan.Steps[0].Unknown) != 1 {
		t.Errorf("planned %+v", plan.Steps[0])
	}
	if got := hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: id})); got.ID != id {
		t.Errorf("got %+v", got)
	}
	// A watch alone: the run is asked to end.
	g = p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Plan = new(hostfuncs.Plan) })
	startWatch(t, g, "a/**")
	if got := hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}); string(got.OK) != `{"interrupted":true}` {
		t.Errorf("got %s %+v", got.OK, got.Error)
	}
}
