package hostile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

var (
	mutate = flag.Bool("mutate", false, "take each guard away in turn, and require that the hostile suite notices")
	sample = flag.Int("sample", 0, "with -mutate, take away `N` guards, which depend on the commit")
)

// TestMutations builds stagecraft without each guard in turn, and runs the attacks that name
// it: at least one of them must fail, and each attack must fail without one of its guards.
// If the mutation names a Go test, that must fail.
func TestMutations(t *testing.T) {
	if !*mutate {
		t.Skip("needs -mutate, see make mutate")
	}
	files, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	all, cache := attacks(t), t.TempDir()
	tried, settled := make(map[string]bool), make(map[string]bool)
	for _, m := range sampled(t, mutations(t)) {
		t.Run(m.guard, func(t *testing.T) {
			of := slices.DeleteFunc(slices.Clone(all), func(a attack) bool { return !slices.Contains(a.guards, m.guard) })
			tried[m.guard] = true
			p, err := m.find(files)
			if err != nil {
				t.Fatal(err)
			}
			if m.test != "" {
				m.wantFailure(t, p)
				return
			}
			count := make(map[outcome]int)
			for name, ended := range trial(t, p.file.path, p.apply(m), of, cache) {
				count[ended]++
				settled[name] = settled[name] || ended != passed
			}
			t.Logf("%d of %d attacks fail: %s", count[failed], len(of), m.why)
			switch {
			case count[failed] > 0:
			case count[skipped] > 0:
				t.Skip("the attacks that may fail are skipped here")
			default:
				t.Error("no attack fails without this guard")
			}
		})
	}
	for _, a := range all {
		// With -run or -sample, some guards are not removed.
		untried := slices.ContainsFunc(a.guards, func(guard string) bool { return !tried[guard] })
		if len(a.guards) > 0 && !settled[a.id()] && !untried {
			t.Errorf("%s passes without any of its guards", a.id())
		}
	}
}

// sampled returns as many consecutive mutations as -sample says. The first depends on the
// commit, so that all are tried in time.
func sampled(t *testing.T, all []mutation) []mutation {
	t.Helper()
	if *sample <= 0 || *sample >= len(all) {
		return all
	}
	cmd := exec.Command("git", "rev-parse", "HEAD")
	cmd.Dir = clitest.Root()
	commit, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	sum := fnv.New32a()
	sum.Write(commit)
	first := int(sum.Sum32() % uint32(len(all)))
	return append(all[first:], all[:first]...)[:*sample]
}

// wantFailure runs the Go test of a mutation. A test that hangs has failed, too.
func (m mutation) wantFailure(t *testing.T, p place) {
	t.Helper()
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(changed, []byte(p.apply(m)), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{"Replace": map[string]string{p.file.path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-timeout=5m", "-overlay="+overlay, "-run=^"+m.test+"$", "./"+m.pkg)
	cmd.Dir, cmd.Env = clitest.Root(), append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		t.Errorf("%s passes without this guard", m.test)
	case !bytes.Contains(out, []byte("--- FAIL")) && !bytes.Contains(out, []byte("panic: ")):
		t.Errorf("%v\n%s", err, out)
	default:
		t.Logf("%s fails: %s", m.test, m.why)
	}
}

// mutantHangs limits scripts of a program without its guard, which may never end.
const mutantHangs = 10 * time.Minute

// trial runs attacks with a binary of which one file is replaced, and returns their
// outcomes by name.
func trial(t *testing.T, path, text string, of []attack, cache string) map[string]outcome {
	t.Helper()
	dir := t.TempDir()
	changed := filepath.Join(dir, "mutated.go")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "stagecraft")
	if err := clitest.Builder().BinaryWith(bin, map[string]string{path: changed}); err != nil {
		t.Fatal(err)
	}
	p := clitest.Scripts(cache, bin, commands)
	p.Deadline = time.Now().Add(mutantHangs)
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		err := setup(e)
		e.Setenv("HANG", strconv.Itoa(int(mutantHangs.Seconds())/20))
		return err
	}
	for _, a := range of {
		p.Files = append(p.Files, a.file)
	}
	run := &trialRun{slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	testscript.RunT(run, p)
	run.wait.Wait()
	return run.outcomes()
}

// outcome is how an attack ended.
type outcome int

const (
	passed outcome = iota
	failed
	skipped
)

// trialRun runs scripts that may fail. It implements testscript.T.
type trialRun struct {
	name  string
	slots chan struct{}
	wait  sync.WaitGroup
	subs  []*trialRun
	ended outcome
}

func (*trialRun) Parallel()     {}
func (*trialRun) Log(...any)    {}
func (*trialRun) Verbose() bool { return false }

// Skip ends the script.
func (r *trialRun) Skip(...any) {
	r.ended = skipped
	runtime.Goexit()
}

// Fatal ends the script.
func (r *trialRun) Fatal(...any) { r.FailNow() }

// FailNow ends the script.
func (r *trialRun) FailNow() {
	r.ended = failed
	runtime.Goexit()
}

// Run runs a script concurrently with the others.
func (r *trialRun) Run(name string, run func(testscript.T)) {
	sub := &trialRun{name: name, slots: r.slots}
	r.subs = append(r.subs, sub)
	r.wait.Go(func() {
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
		run(sub)
	})
}

// outcomes returns the outcomes of all scripts by name.
func (r *trialRun) outcomes() map[string]outcome {
	all := make(map[string]outcome)
	for _, sub := range r.subs {
		all[sub.name] = sub.ended
	}
	return all
}
