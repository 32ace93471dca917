package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// workspace is a project that the real binary works in.
type workspace struct {
	dir, home string
	// url is where its dev serves until it is interrupted, "" where dev ends by
	// itself.
	url string
	// environ is put over the environment that every run has.
	environ []string
	// stdout takes what a run on a terminal prints as its result, instead of
	// the terminal, where it is not nil.
	stdout io.Writer
}

// newWorkspace copies an example, or makes an empty folder.
func newWorkspace(t *testing.T, example string) workspace {
	t.Helper()
	w := workspace{dir: filepath.Join(t.TempDir(), "shop"), home: t.TempDir()}
	if example == "" {
		if err := os.Mkdir(w.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return w
	}
	if err := os.CopyFS(w.dir, os.DirFS(filepath.Join(built.root, "examples", example))); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w workspace) write(t *testing.T, name string, data []byte) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

// run runs stagecraft and gives its exit code.
func (w workspace) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := w.command(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	code = exitOf(t, cmd.Run())
	return out.String(), errs.String(), code
}

// limit is for a run that hangs. A first one may compile a server, watched.
const limit = 3 * time.Minute

// command is stagecraft, ended where it should have ended by itself.
func (w workspace) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, built.bin, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "HOME="+w.home, "XDG_CACHE_HOME="+sharedCache(t), "XDG_DATA_HOME=", "CI=", "npm_config_update_notifier=false")
	if host := os.Getenv(engineEnv); host != "" {
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+host)
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		cmd.Env = append(cmd.Env, name+"="+goEnv(name))
	}
	cmd.Env = append(cmd.Env, w.environ...)
	return cmd
}

func exitOf(t *testing.T, err error) int {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return 0
}

// perform makes a run to its end: a server's is an interrupt, once it has
// answered, and its exit code is its program's own.
func (w workspace) perform(t *testing.T, args ...string) {
	t.Helper()
	if w.url == "" {
		w.want(t, 0, args...)
		return
	}
	var said bytes.Buffer
	cmd := w.command(t, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, gone := get(w.url, time.Now().Add(limit))
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if code := exitOf(t, cmd.Wait()); gone != nil || !slices.Contains([]int{0, 1, 130}, code) {
		t.Fatalf("%v: exit code %d, %v\n%s", args, code, gone, said.String())
	}
}

// sharedCache is where compiled modules are kept for all tests of this file.
func sharedCache(t *testing.T) string {
	t.Helper()
	return filepath.Join(built.dir, "conduct-cache")
}

// want runs stagecraft, and wants this exit code.
func (w workspace) want(t *testing.T, code int, args ...string) string {
	t.Helper()
	stdout, stderr, got := w.run(t, args...)
	if got != code {
		t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout
}

// effects are those that an audit log has of a run, in order.
func (w workspace) effects(t *testing.T, log string) []string {
	t.Helper()
	effects := []string{}
	report, err := audit.Read(filepath.Join(w.dir, log), func(r audit.Record) error {
		if r.Type == audit.TypeBegin {
			effects = append(effects, r.Asked)
		}
		return nil
	})
	if err != nil || len(report.Findings) > 0 {
		t.Fatalf("%v, %v", err, report.Findings)
	}
	return effects
}

// planned are the effects of a plan, in order.
func (w workspace) planned(t *testing.T, command string) []string {
	t.Helper()
	var plan struct {
		Steps []struct {
			Asked   string
			Allowed bool
		}
	}
	if err := json.Unmarshal([]byte(w.want(t, 0, "plan", command, "--json")), &plan); err != nil {
		t.Fatal(err)
	}
	planned := []string{}
	for _, step := range plan.Steps {
		planned = append(planned, step.Asked)
	}
	return planned
}

// drop puts the provider player among the project's, and has it trusted.
func (w workspace) drop(t *testing.T) {
	t.Helper()
	file, err := built.builder.Module("providers/providertest/player")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, ".stagecraft/providers/player.wasm", data)
	w.want(t, 0, "provider", "trust", "player", "--yes")
}

// play writes a configuration of calls for player.
func (w workspace) play(t *testing.T, calls []map[string]any) {
	t.Helper()
	config := map[string]any{"backend": map[string]any{
		"provider": "player", "providers": map[string]any{"player": map[string]any{"dev": calls, "build": calls}},
	}}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "stagecraft.yml", data)
}

// exampleRuns are the commands of the examples, but for the image of node-http,
// which is based on another. Those with an image need an engine.
var exampleRuns = []struct {
	example, command string
	engine           bool
	prepare          func(t *testing.T, w *workspace)
}{
	{"ci-policy", "dev", false, nil},
	{"ci-policy", "build", true, nil},
	{"go-http", "dev", false, serve},
	{"go-http", "build", true, compileServer},
	{"node-http", "dev", false, serve},
	{"encore-ts", "dev", false, func(t *testing.T, w *workspace) { encoreApp(t, w); serve(t, w) }},
	{"encore-ts", "build", true, encoreApp},
	{"custom-provider", "dev", false, dropCustom},
	{"custom-provider", "build", true, dropCustom},
}

// serve has the example listen where nobody else does.
func serve(t *testing.T, w *workspace) {
	t.Helper()
	port, release, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	w.url = "http://127.0.0.1:" + port
	file := filepath.Join(w.dir, "stagecraft.yml")
	config := readTestFile(t, file)
	if strings.Contains(config, "listen:") {
		for _, name := range []string{file, filepath.Join(w.dir, "stagecraft.policy.yml")} {
			writeTestFile(t, name, strings.ReplaceAll(readTestFile(t, name), "4000", port), 0o600)
		}
		return
	}
	if !strings.Contains(config, "env:\n") {
		config = strings.Replace(config, "      dev:\n", "      dev:\n        env:\n", 1)
	}
	writeTestFile(t, file, strings.Replace(config, "env:\n", "env:\n          PORT: \""+port+"\"\n", 1), 0o600)
}

// compileServer builds the binary that the example's image is made of, as its
// README says.
func compileServer(t *testing.T, w *workspace) {
	t.Helper()
	goBuild(t, w.dir, []string{"GOOS=linux"}, "-trimpath", "-o", "bin/server", ".")
}

// dropCustom builds the example's provider, as its Makefile does.
func dropCustom(t *testing.T, w *workspace) {
	t.Helper()
	goBuild(t, filepath.Join(built.root, "examples/custom-provider/provider"), []string{"GOOS=wasip1", "GOARCH=wasm"},
		"-buildmode=c-shared", "-o", filepath.Join(w.dir, ".stagecraft/providers/my-provider.wasm"), ".")
	w.want(t, 0, "provider", "trust", "my-provider", "--yes")
}

func goBuild(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// forExamples calls check for each run of an example that can be made here.
func forExamples(t *testing.T, check func(t *testing.T, w workspace, command string)) {
	for _, tt := range exampleRuns {
		t.Run(tt.example+"-"+tt.command, func(t *testing.T) {
			t.Parallel()
			if tt.engine {
				providertest.NeedEngine(t)
			}
			w := newWorkspace(t, tt.example)
			if tt.prepare != nil {
				tt.prepare(t, &w)
			}
			check(t, w, tt.command)
		})
	}
}

// TestPlanIsWhatRuns wants a run to have the effects of the plan before it, in
// that order, and no other.
func TestPlanIsWhatRuns(t *testing.T) {
	check := func(t *testing.T, w workspace, command string) {
		planned := w.planned(t, command)
		w.perform(t, command, "--audit", "audit.jsonl")
		if diff := cmp.Diff(planned, w.effects(t, "audit.jsonl")); diff != "" {
			t.Errorf("-planned +done:\n%s", diff)
		}
		if command == "build" {
			w.want(t, 0, "plan", "build", "--out", "../plan.json")
			w.want(t, 0, "build", "--plan", "../plan.json", "--audit", "../held.jsonl")
			if diff := cmp.Diff(planned, w.effects(t, "../held.jsonl")); diff != "" {
				t.Errorf("-planned +done under the plan:\n%s", diff)
			}
		}
	}
	forExamples(t, check)
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("calls-", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, "")
			w.play(t, randomCalls(rand.New(rand.NewPCG(seed, 1))))
			w.drop(t)
			w.write(t, "stagecraft.policy.yml", []byte(allowsCalls))
			w.files(t)
			check(t, w, "build")
		})
	}
}

// TestLearnThenRun wants what was learnt from a run to allow it, and none of
// its rules to be one too many.
func TestLearnThenRun(t *testing.T) {
	forExamples(t, func(t *testing.T, w workspace, command string) {
		if err := os.Remove(filepath.Join(w.dir, "stagecraft.policy.yml")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		w.perform(t, "policy", "learn", command, "--allow", "--out", "stagecraft.policy.yml")
		w.perform(t, command)
		w.everyRuleIsNeeded(t, readTestFile(t, filepath.Join(w.dir, "stagecraft.policy.yml")), command)
	})
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("calls-", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, "")
			w.play(t, randomCalls(rand.New(rand.NewPCG(seed, 2))))
			w.drop(t)
			w.files(t)
			w.want(t, 0, "policy", "learn", "dev", "--allow", "--out", "stagecraft.policy.yml", "--audit", "audit.jsonl")
			w.want(t, 0, "dev")
			w.everyRuleIsNeeded(t, readTestFile(t, filepath.Join(w.dir, "stagecraft.policy.yml")), "dev")
			// The log has the same to learn from, but for what is in folders.
			w.write(t, "stagecraft.policy.yml", []byte(w.want(t, 0, "policy", "learn", "--from", "audit.jsonl")))
			w.want(t, 0, "dev")
		})
	}
}

var ruleLine = regexp.MustCompile(`(?m)^ +- .*\n`)

// ofCommands tells whether a rule is for what commands use once they run, by its
// remark or by the key above it. Without one, it is for the command to say what it
// can't do without: the door denies nothing.
func ofCommands(policy string, at []int) bool {
	keys := ruleKey.FindAllStringSubmatch(policy[:at[0]], -1)
	key := keys[len(keys)-1][1]
	return key == "use" || key == "sockets" || key == "listen" || strings.Contains(policy[at[0]:at[1]], "commands")
}

var ruleKey = regexp.MustCompile(`(?m)^ +([a-z_]+):`)

// everyRuleIsNeeded takes each rule away in turn by which the provider itself may
// do something, and wants the run to be denied then.
func (w workspace) everyRuleIsNeeded(t *testing.T, policy, command string) {
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
		w.write(t, "stagecraft.policy.yml", []byte(less))
		if _, stderr, code := w.run(t, command); code != 3 {
			t.Errorf("exit code %d without the rule %s\n%s\n%s", code, strings.TrimSpace(policy[at[0]:at[1]]), less, stderr)
		}
	}
}

// closeLists writes a key without anything below it as an empty list.
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

// files are those that calls read.
func (w workspace) files(t *testing.T) {
	t.Helper()
	for _, name := range []string{"one.txt", "sub/two.txt", "sub/three.txt"} {
		w.write(t, name, []byte(name))
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

// someCalls are calls that work, by kind.
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
