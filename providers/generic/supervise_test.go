package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// dev runs processes in a world, and returns the error in one line.
func (w *world) dev(t *testing.T, processes string, change func(*abi.DevOptions)) string {
	t.Helper()
	opts := abi.DevOptions{Config: abi.JSON(`{"dev":{"processes":` + processes + `}}`), WorkDir: "."}
	if change != nil {
		change(&opts)
	}
	err := new(Provider).Dev(backend.WithHost(t.Context(), w), opts)
	var exit *backend.ExitError
	switch e, ok := errors.AsType[*abi.Error](err); {
	case err == nil:
		return ""
	case errors.As(err, &exit):
		return fmt.Sprintf("%s (%d)", exit.Message, exit.Code)
	case ok:
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	return err.Error()
}

var interrupt = abi.ProcessWaitResult{Interrupted: true}

const three = `{
	"db": {"command": ["db"], "ready": {"tcp": 5432}},
	"migrate": {"command": ["migrate"], "once": true, "depends_on": {"db": "ready"}},
	"web": {"command": ["web"], "depends_on": {"migrate": "done"}, "ready": {"log": "listens"}, "url": "http://localhost:4000"}
}`

func TestProcesses(t *testing.T) {
	typed := func(key, argument string) abi.ProcessWaitResult {
		return abi.ProcessWaitResult{Typed: &abi.TypedKey{Key: key, Argument: argument}}
	}
	changed := func(id int, paths ...string) abi.ProcessWaitResult {
		return abi.ProcessWaitResult{Changed: &abi.FilesChanged{ID: id, Paths: paths}}
	}
	works := map[string][]behaviour{"db": {{ready: 100}}, "migrate": {{ends: 100}}, "web": {{ready: 100}}}
	with := func(name string, does ...behaviour) map[string][]behaviour {
		all := map[string][]behaviour{name: does}
		for other, does := range works {
			if other != name {
				all[other] = does
			}
		}
		return all
	}
	up := []string{"start db", "start migrate", "end migrate", "start web", "ready db, web http://localhost:4000"}
	for name, test := range map[string]struct {
		processes string
		world     world
		change    func(*abi.DevOptions)
		err       string
		log       []string
	}{
		"in order, and ended in reverse": {
			three, world{does: works, at: map[int64]abi.ProcessWaitResult{1000: interrupt}}, nil,
			"interrupted: the processes were interrupted",
			slices.Concat(up, []string{"stop web", "end web", "stop db", "end db"}),
		},
		"interrupted while it starts": {
			three, world{does: works, at: map[int64]abi.ProcessWaitResult{150: interrupt}}, nil,
			"interrupted: the processes were interrupted",
			[]string{"start db", "start migrate", "stop migrate", "end migrate", "stop db", "end db"},
		},
		"a failed dependency": {
			three, world{does: with("migrate", behaviour{ends: 100, code: 3})}, nil,
			"migrate: exit status 3; never started: web (3)",
			[]string{"start db", "start migrate", "end migrate", "stop db", "end db"},
		},
		"ended before it is ready": {
			three, world{does: with("db", behaviour{ends: 50, code: 1})}, nil,
			"db: exit status 1, before it was ready; never started: migrate, web (1)",
			[]string{"start db", "end db"},
		},
		"not ready in time": {
			`{"db": {"command": ["db"], "ready": {"tcp": 1, "timeout": "5s"}}, "web": {"command": ["web"]}}`,
			world{}, nil, "timeout: db was not ready within 5s",
			[]string{"start db", "start web", "stop db", "stop web", "end db", "end web"},
		},
		"cannot be started": {
			three, world{does: works, fails: map[string]*abi.Error{"migrate": {Code: abi.CodeNotFound, Message: "no program"}}}, nil,
			"not_found: migrate: no program",
			[]string{"start db", "start migrate", "stop db", "end db"},
		},
		"a success ends the run too": {
			`{"a": {"command": ["a"]}, "b": {"command": ["b"]}}`,
			world{does: map[string][]behaviour{"a": {{ends: 10}}}}, nil, "",
			[]string{"start a", "start b", "ready a, b", "end a", "a: exit status 0; it ends the run", "stop b", "end b"},
		},
		"all have done their work": {
			`{"a": {"command": ["a"], "once": true}, "b": {"command": ["b"], "once": true, "depends_on": {"a": "done"}}}`,
			world{does: map[string][]behaviour{"a": {{ends: 10}}, "b": {{ends: 10}}}}, nil, "",
			[]string{"start a", "end a", "start b", "end b"},
		},
		"some with what they depend on": {
			`{"a": {"command": ["a"], "depends_on": {"b": "started"}}, "b": {"command": ["b"]}, "c": {"command": ["c"]}}`,
			world{at: map[int64]abi.ProcessWaitResult{10: interrupt}}, func(o *abi.DevOptions) { o.Processes = []string{"a"} },
			"interrupted: the processes were interrupted",
			[]string{"start b", "start a", "ready a, b", "stop a", "end a", "stop b", "end b"},
		},
		"an unknown name": {three, world{}, func(o *abi.DevOptions) { o.Processes = []string{"wbe"} }, `invalid: unknown process "wbe"`, nil},
		"output of an unknown name": {
			three, world{}, func(o *abi.DevOptions) { o.Processes, o.OnlyOutput = []string{"db"}, "web" }, `invalid: unknown process "web"`, nil,
		},
		"restarts with growing pauses": {
			`{"a": {"command": ["a"], "restart": {"when": "on-failure", "max": 2, "backoff": "1s"}}}`,
			world{does: map[string][]behaviour{"a": {{ends: 10, code: 4}}}}, nil, "a: exit status 4 after 2 restarts (4)",
			[]string{
				"start a", "ready a", "end a", "a: exit status 4; restart 1 of 2 in 1s", "start a", "end a",
				"a: exit status 4; restart 2 of 2 in 2s", "start a", "end a",
			},
		},
		"a migration is tried again": {
			`{"a": {"command": ["a"], "once": true, "restart": {"when": "always"}}, "b": {"command": ["b"], "depends_on": {"a": "done"}}}`,
			world{does: map[string][]behaviour{"a": {{ends: 10, code: 4}, {ends: 10}}}, at: map[int64]abi.ProcessWaitResult{9000: interrupt}}, nil,
			"interrupted: the processes were interrupted",
			[]string{"start a", "end a", "a: exit status 4; restart 1 of 5 in 1s", "start a", "end a", "start b", "ready b", "stop b", "end b"},
		},
		"asked with a program": {
			`{"a": {"command": ["a"], "ready": {"exec": ["is-ready-a"]}}}`,
			world{does: map[string][]behaviour{"a": {{ready: 700}}}, at: map[int64]abi.ProcessWaitResult{1600: interrupt}}, nil,
			"interrupted: the processes were interrupted",
			[]string{"start a", "ask is-ready-a", "ask is-ready-a", "ask is-ready-a", "ready a", "stop a", "end a"},
		},
		"keys": {
			three, world{does: works, at: map[int64]abi.ProcessWaitResult{
				500: typed("r", "web"), 600: typed("r", "nobody"), 700: typed("s", ""), 800: typed("q", ""),
			}}, nil, "",
			slices.Concat(up, []string{
				"stop web", "end web", "start web",
				`unknown process "nobody": expected one of db, migrate, web`,
				"processes:\n  db                   running\n  migrate              done\n  web                  running, http://localhost:4000",
				"stop web", "end web", "stop db", "end db",
			}),
		},
		"watched files": {
			`{
				"a": {"command": ["a"], "watch": {"paths": ["src/**", "x"]}},
				"b": {"command": ["b"], "once": true, "watch": {"paths": ["b"]}},
				"c": {"command": ["c"], "depends_on": {"b": "done"}, "watch": {"paths": ["c"]}}
			}`,
			world{does: map[string][]behaviour{"a": {{stops: 100}}, "b": {{ends: 200}}}, at: map[int64]abi.ProcessWaitResult{
				100: changed(3, "c"), 500: changed(1, "src/a"), 550: changed(1, "src/b"), 700: changed(1, "1", "2", "3", "4"),
				900: changed(2, "b"), 2000: interrupt,
			}}, nil, "interrupted: the processes were interrupted",
			[]string{
				"watch src/** x", "watch b", "watch c", "start a", "start b", "end b", "start c", "ready a, c",
				"a restarts: src/a changed", "stop a", "end a", "start a",
				"a restarts: 1, 2, 3 and others changed", "stop a", "end a", "start a",
				"b restarts: b changed", "start b", "end b", "stop a", "stop c", "end c", "end a",
			},
		},
		"restarts twice in one": {
			`{"a": {"command": ["a"]}}`,
			world{does: map[string][]behaviour{"a": {{stops: 100}}}, at: map[int64]abi.ProcessWaitResult{
				500: typed("r", "a"), 550: typed("r", "a"), 900: interrupt,
			}}, nil, "interrupted: the processes were interrupted",
			[]string{"start a", "ready a", "stop a", "end a", "start a", "stop a", "end a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.world.dev(t, test.processes, test.change)
			if diff := cmp.Diff(test.log, test.world.log); err != test.err || diff != "" {
				t.Errorf("got %q, want %q\n%s", err, test.err, diff)
			}
		})
	}
}

// TestAnyProcesses runs random processes: none starts before what it depends on, none is
// stopped before what depends on it, and nothing is left.
func TestAnyProcesses(t *testing.T) {
	var depends func(needs map[string][]string, name, other string) bool
	depends = func(needs map[string][]string, name, other string) bool {
		return slices.ContainsFunc(needs[name], func(n string) bool { return n == other || depends(needs, n, other) })
	}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := &world{does: make(map[string][]behaviour), at: map[int64]abi.ProcessWaitResult{r.Int64N(3000) + 1: interrupt}}
		var parts []string
		needs := make(map[string][]string)
		n := 1 + r.IntN(8)
		once := make([]bool, n)
		for i := range n {
			name := fmt.Sprint("p", i)
			once[i] = r.IntN(3) == 0
			part := fmt.Sprintf(`"%s":{"command":["x"],"once":%v,"restart":{"when":"on-failure","max":2}`, name, once[i])
			does := behaviour{ready: 1 + r.Int64N(300), stops: 1 + r.Int64N(300)}
			if once[i] || r.IntN(4) == 0 {
				does.ends, does.code = 1+r.Int64N(600), r.IntN(2)
			}
			w.does[name] = []behaviour{does, {ready: 1, ends: does.ends}}
			if !once[i] {
				part += `,"ready":{"tcp":1}`
			}
			var on []string
			for j := range i {
				if r.IntN(3) == 0 {
					other := fmt.Sprint("p", j)
					when := map[bool]string{true: whenDone, false: whenReady}[once[j]]
					on, needs[name] = append(on, fmt.Sprintf("%q:%q", other, when)), append(needs[name], other)
				}
			}
			parts = append(parts, part+`,"depends_on":{`+strings.Join(on, ",")+`}}`)
		}
		config := "{" + strings.Join(parts, ",") + "}"
		w.dev(t, config, nil)
		if len(w.run) > 0 {
			t.Fatalf("seed %d: %d processes are left of %s", seed, len(w.run), config)
		}
		running, started := make(map[string]bool), make(map[string]bool)
		for _, line := range w.log {
			word, name, _ := strings.Cut(line, " ")
			switch word {
			case "start":
				for _, other := range needs[name] {
					if !started[other] {
						t.Fatalf("seed %d: %s starts before %s\n%s\n%s", seed, name, other, config, strings.Join(w.log, "\n"))
					}
				}
				running[name], started[name] = true, true
			case "stop":
				for other := range running {
					if running[other] && depends(needs, other, name) {
						t.Fatalf("seed %d: %s is stopped before %s\n%s\n%s", seed, name, other, config, strings.Join(w.log, "\n"))
					}
				}
			case "end":
				running[name] = false
			}
		}
		for name, count := range w.starts {
			if count > 3 {
				t.Fatalf("seed %d: %s was started %d times", seed, name, count)
			}
		}
	}
}
