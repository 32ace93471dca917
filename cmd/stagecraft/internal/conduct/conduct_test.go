// Package conduct_test compares plans and learnt policies with the following runs of the
// real binary.
package conduct_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

// exampleRuns are the commands of the examples, except for the build of node-http, which
// needs a base image from a registry. Builds need an engine.
var exampleRuns = []struct {
	example, command string
	engine           bool
	prepare          func(t *testing.T, w *clitest.Workspace)
}{
	{"ci-policy", "dev", false, nil},
	{"ci-policy", "build", true, nil},
	{"go-http", "dev", false, serve},
	{"go-http", "build", true, compileServer},
	{"node-http", "dev", false, serve},
	{"encore-ts", "dev", false, func(t *testing.T, w *clitest.Workspace) { encoreApp(t, w); serve(t, w) }},
	{"encore-ts", "build", true, encoreApp},
	{"custom-provider", "dev", false, dropCustom},
	{"custom-provider", "build", true, dropCustom},
}

// serve lets the example listen on a free port.
func serve(t *testing.T, w *clitest.Workspace) {
	t.Helper()
	port, release, err := clitest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	w.URL = "http://127.0.0.1:" + port
	file := filepath.Join(w.Dir, "stagecraft.yml")
	config := clitest.ReadFile(t, file)
	if strings.Contains(config, "listen:") {
		for _, name := range []string{file, filepath.Join(w.Dir, "stagecraft.policy.yml")} {
			clitest.WriteFile(t, name, strings.ReplaceAll(clitest.ReadFile(t, name), "4000", port), 0o600)
		}
		return
	}
	if !strings.Contains(config, "env:\n") {
		config = strings.Replace(config, "      dev:\n", "      dev:\n        env:\n", 1)
	}
	clitest.WriteFile(t, file, strings.Replace(config, "env:\n", "env:\n          PORT: \""+port+"\"\n", 1), 0o600)
}

// compileServer builds the binary for the example's image, as its README says.
func compileServer(t *testing.T, w *clitest.Workspace) {
	t.Helper()
	clitest.GoBuild(t, w.Dir, []string{"GOOS=linux"}, "-trimpath", "-o", "bin/server", ".")
}

// dropCustom builds the example's provider, as its Makefile does.
func dropCustom(t *testing.T, w *clitest.Workspace) {
	t.Helper()
	clitest.GoBuild(t, filepath.Join(clitest.Root(), "examples/custom-provider/provider"), []string{"GOOS=wasip1", "GOARCH=wasm"},
		"-buildmode=c-shared", "-o", filepath.Join(w.Dir, ".stagecraft/providers/my-provider.wasm"), ".")
	w.Want(t, 0, "provider", "trust", "my-provider", "--yes")
}

// forExamples calls check for each run of an example that is possible here.
func forExamples(t *testing.T, check func(t *testing.T, w clitest.Workspace, command string)) {
	for _, tt := range exampleRuns {
		t.Run(tt.example+"-"+tt.command, func(t *testing.T) {
			t.Parallel()
			if tt.engine {
				providertest.NeedEngine(t)
			}
			w := clitest.NewWorkspace(t, tt.example)
			if tt.prepare != nil {
				tt.prepare(t, &w)
			}
			check(t, w, tt.command)
		})
	}
}

// TestPlanIsWhatRuns: a run has exactly the effects of the plan before it, in order.
func TestPlanIsWhatRuns(t *testing.T) {
	check := func(t *testing.T, w clitest.Workspace, command string) {
		planned := w.Planned(t, command)
		w.Perform(t, command, "--audit", "audit.jsonl")
		if diff := cmp.Diff(planned, w.Effects(t, "audit.jsonl")); diff != "" {
			t.Errorf("-planned +done:\n%s", diff)
		}
		if command == "build" {
			w.Want(t, 0, "plan", "build", "--out", "../plan.json")
			w.Want(t, 0, "build", "--plan", "../plan.json", "--audit", "../planned.jsonl")
			if diff := cmp.Diff(planned, w.Effects(t, "../planned.jsonl")); diff != "" {
				t.Errorf("-planned +done under the plan:\n%s", diff)
			}
		}
	}
	forExamples(t, check)
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("calls-", seed), func(t *testing.T) {
			t.Parallel()
			w := clitest.NewWorkspace(t, "")
			w.Play(t, randomCalls(rand.New(rand.NewPCG(seed, 1))))
			w.Drop(t)
			w.Write(t, "stagecraft.policy.yml", []byte(allowsCalls))
			writeFiles(t, w)
			check(t, w, "build")
		})
	}
}

// TestLearnThenRun: a learnt policy allows the run, and none of its rules is superfluous.
func TestLearnThenRun(t *testing.T) {
	forExamples(t, func(t *testing.T, w clitest.Workspace, command string) {
		if err := os.Remove(filepath.Join(w.Dir, "stagecraft.policy.yml")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		w.Perform(t, "policy", "learn", command, "--allow", "--out", "stagecraft.policy.yml")
		w.Perform(t, command)
		everyRuleIsNeeded(t, w, clitest.ReadFile(t, filepath.Join(w.Dir, "stagecraft.policy.yml")), command)
	})
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("calls-", seed), func(t *testing.T) {
			t.Parallel()
			w := clitest.NewWorkspace(t, "")
			w.Play(t, randomCalls(rand.New(rand.NewPCG(seed, 2))))
			w.Drop(t)
			writeFiles(t, w)
			w.Want(t, 0, "policy", "learn", "dev", "--allow", "--out", "stagecraft.policy.yml", "--audit", "audit.jsonl")
			w.Want(t, 0, "dev")
			everyRuleIsNeeded(t, w, clitest.ReadFile(t, filepath.Join(w.Dir, "stagecraft.policy.yml")), "dev")
			// The audit log yields the same policy, except for the content of directories.
			w.Write(t, "stagecraft.policy.yml", []byte(w.Want(t, 0, "policy", "learn", "--from", "audit.jsonl")))
			w.Want(t, 0, "dev")
		})
	}
}

var ruleLine = regexp.MustCompile(`(?m)^ +- .*\n`)

// ofCommands reports whether a rule is for the files and ports of running commands, by
// its remark or its key. Without such a rule the gate denies nothing: the command fails
// itself, and a daemon ends with the run.
func ofCommands(policy string, at []int) bool {
	keys := ruleKey.FindAllStringSubmatch(policy[:at[0]], -1)
	key := keys[len(keys)-1][1]
	rule := policy[at[0]:at[1]]
	return key == "use" || key == "sockets" || key == "listen" || key == "daemons" || strings.Contains(rule, "commands") || passedOn.MatchString(rule)
}

// passedOn matches rules for the user's variables that a provider passes to its commands.
// Without the rule, the run warns and continues without the variable.
var passedOn = regexp.MustCompile(`^ +- (XDG_|ENCORE_)`)

var ruleKey = regexp.MustCompile(`(?m)^ +([a-z_]+):`)

// everyRuleIsNeeded removes each rule for the provider's own calls in turn, and requires
// that the run is denied.
func everyRuleIsNeeded(t *testing.T, w clitest.Workspace, policy, command string) {
	t.Helper()
	rules := ruleLine.FindAllStringIndex(policy, -1)
	if len(rules) == 0 {
		t.Errorf("nothing was learnt:\n%s", policy)
	}
	for _, at := range rules {
		if ofCommands(policy, at) {
			continue
		}
		less := closeLists(policy[:at[0]] + policy[at[1]:])
		w.Write(t, "stagecraft.policy.yml", []byte(less))
		if _, stderr, code := w.Run(t, command); code != 3 {
			t.Errorf("exit code %d without the rule %s\n%s\n%s", code, strings.TrimSpace(policy[at[0]:at[1]]), less, stderr)
		}
	}
}

// closeLists gives a key without children an empty list.
func closeLists(policy string) string {
	lines := strings.Split(policy, "\n")
	depth := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	for i, line := range lines[:len(lines)-1] {
		if strings.HasSuffix(line, ":") && depth(lines[i+1]) <= depth(line) {
			lines[i] += " []"
		}
	}
	return strings.Join(lines, "\n")
}

// writeFiles writes the files that the calls read.
func writeFiles(t *testing.T, w clitest.Workspace) {
	t.Helper()
	for _, name := range []string{"one.txt", "sub/two.txt", "sub/three.txt"} {
		w.Write(t, name, []byte(name))
	}
}

const allowsCalls = `
version: 1
providers:
  player:
    exec: ["echo **", "true **", "touch **"]
    env: {pass: ["*", HOME], read: ["*"]}
    files: {read: ["**"], write: ["**"]}
`

// someCalls are calls that succeed, by kind.
var someCalls = map[string]func(r *rand.Rand) any{
	"exec": func(r *rand.Rand) any {
		words := [][]string{{"echo", "a b"}, {"true"}, {"touch", "made"}, {"echo", "*"}, {"touch", "made", "-a"}}
		request := map[string]any{"argv": words[r.IntN(len(words))], "dir": []string{".", "sub"}[r.IntN(2)], "capture": r.IntN(2) == 0}
		if r.IntN(2) == 0 {
			request["env"] = map[string]any{"A": "x", "B": map[string]string{"env": "HOME"}}
		}
		return request
	},
	abi.OpReadFile:  func(r *rand.Rand) any { return []string{"one.txt", "sub/two.txt", "sub/three.txt"}[r.IntN(3)] },
	abi.OpStat:      func(r *rand.Rand) any { return []string{".", "sub", "one.txt"}[r.IntN(3)] },
	abi.OpList:      func(r *rand.Rand) any { return []string{".", "sub"}[r.IntN(2)] },
	abi.OpEnvStatus: func(r *rand.Rand) any { return []string{"HOME", "A", "LD_PRELOAD"}[:1+r.IntN(3)] },
	abi.OpLog:       func(*rand.Rand) any { return "hello" },
	abi.OpWatch:     func(r *rand.Rand) any { return map[string]any{"paths": []string{"sub/**", "one.txt"}[:1+r.IntN(2)]} },
}

func randomCalls(r *rand.Rand) []map[string]any {
	kinds := slices.Sorted(maps.Keys(someCalls))
	calls := []map[string]any{{"exec": map[string]any{"argv": []string{"echo", "first"}}}}
	for range 2 + r.IntN(6) {
		kind := kinds[r.IntN(len(kinds))]
		calls = append(calls, map[string]any{kind: someCalls[kind](r)})
	}
	return calls
}

// encoreApp gives an example the stand-in and its dotenv file.
func encoreApp(t *testing.T, w *clitest.Workspace) {
	t.Helper()
	e, err := clitest.NewEncore(t.TempDir(), providertest.EngineHost())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.Environ = append(w.Environ, "PATH="+e.Tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	w.Write(t, ".env.local", []byte(clitest.ReadFile(t, filepath.Join(w.Dir, ".env.example"))))
}
