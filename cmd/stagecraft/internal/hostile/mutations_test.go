package hostile_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

var mutate = flag.Bool("mutate", false, "take each guard away in turn, and see that the hostile suite notices")

// mutation takes one guard away. It is a file of testdata/mutations whose name
// is the guard's:
//
//	what the guard does, in a sentence
//	file: where it stands, from the root of the repository
//	-- old --
//	the lines as they are, which stand there once
//	-- new --
//	the lines without the guard; they still compile
type mutation struct {
	guard, why, file string
	old, new         string
}

// mutations reads all of them, sorted by guard.
func mutations(t *testing.T) []mutation {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "mutations", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []mutation
	for _, file := range files {
		m, err := readMutation(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		all = append(all, m)
	}
	return all
}

func readMutation(file string) (m mutation, err error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return m, err
	}
	guard, named := strings.CutSuffix(filepath.Base(file), ".txtar")
	why, source, filed := strings.Cut(string(archive.Comment), "\nfile: ")
	source = strings.TrimSpace(source)
	if !named || !filed || why == "" || strings.Contains(source, "\n") ||
		len(archive.Files) != 2 || archive.Files[0].Name != "old" || archive.Files[1].Name != "new" {
		return m, fmt.Errorf("it is no sentence, a line \"file: \", and the parts old and new")
	}
	return mutation{guard, why, source, string(archive.Files[0].Data), string(archive.Files[1].Data)}, nil
}

// apply gives the file without the guard.
func (m mutation) apply() (string, error) {
	data, err := os.ReadFile(m.path())
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(data), m.old); n != 1 || m.old == "" || m.old == m.new {
		return "", fmt.Errorf("%s: its old lines stand in %s %d times, once is expected", m.guard, m.file, n)
	}
	return strings.Replace(string(data), m.old, m.new, 1), nil
}

func (m mutation) path() string { return filepath.Join(clitest.Root(), filepath.FromSlash(m.file)) }

// TestMutationsFit wants each guard that an attack names to have a mutation
// that fits the code, and each mutation to be named.
func TestMutationsFit(t *testing.T) {
	known := make(map[string]bool)
	for _, m := range mutations(t) {
		known[m.guard] = true
		if _, err := m.apply(); err != nil {
			t.Error(err)
		}
	}
	named := make(map[string]bool)
	for _, a := range attacks(t) {
		for _, guard := range a.guards {
			named[guard] = true
			if !known[guard] {
				t.Errorf("%s: guard %q has no mutation", a.file, guard)
			}
		}
	}
	for guard := range known {
		if !named[guard] {
			t.Errorf("no attack names the guard %q", guard)
		}
	}
}

// TestMutations builds stagecraft without each guard in turn, and runs the
// attacks that name it: one of them at least has to notice, and each attack has
// to notice the lack of one of its guards.
func TestMutations(t *testing.T) {
	if !*mutate {
		t.Skip("needs -mutate, see make mutate")
	}
	all, cache := attacks(t), t.TempDir()
	tried, settled := make(map[string]bool), make(map[string]bool)
	for _, m := range mutations(t) {
		t.Run(m.guard, func(t *testing.T) {
			of := slices.DeleteFunc(slices.Clone(all), func(a attack) bool { return !slices.Contains(a.guards, m.guard) })
			tried[m.guard] = true
			count := make(map[outcome]int)
			for name, ended := range m.trial(t, of, cache) {
				count[ended]++
				settled[name] = settled[name] || ended != passed
			}
			t.Logf("%d of %d attacks notice: %s", count[failed], len(of), m.why)
			switch {
			case count[failed] > 0:
			case count[skipped] > 0:
				t.Skip("the attacks that may notice are left out here")
			default:
				t.Error("nobody notices that this guard is gone")
			}
		})
	}
	for _, a := range all {
		// With -run, some are not taken away.
		untried := slices.ContainsFunc(a.guards, func(guard string) bool { return !tried[guard] })
		if !settled[a.id()] && !untried {
			t.Errorf("%s passes without any of its guards", a.id())
		}
	}
}

// mutantHangs is when a script gives up on a program without its guard, which
// may never end.
const mutantHangs = 10 * time.Minute

// trial carries out attacks with a binary that lacks the guard, and says how
// they ended, by their names. One that is left out says nothing.
func (m mutation) trial(t *testing.T, of []attack, cache string) map[string]outcome {
	t.Helper()
	text, err := m.apply()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "mutated.go")
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "stagecraft")
	if err := clitest.Builder().BinaryWith(bin, map[string]string{m.path(): changed}); err != nil {
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

// outcome is how an attack went, as far as that says something of a guard.
type outcome int

const (
	passed outcome = iota
	failed
	skipped
)

// trialRun runs scripts that may fail. It is what testscript needs of a test.
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

// Run runs one script beside the others.
func (r *trialRun) Run(name string, run func(testscript.T)) {
	sub := &trialRun{name: name, slots: r.slots}
	r.subs = append(r.subs, sub)
	r.wait.Go(func() {
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
		run(sub)
	})
}

// outcomes are those of all scripts, by their names.
func (r *trialRun) outcomes() map[string]outcome {
	all := make(map[string]outcome)
	for _, sub := range r.subs {
		all[sub.name] = sub.ended
	}
	return all
}
