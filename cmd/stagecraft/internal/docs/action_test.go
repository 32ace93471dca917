package docs_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// action is the part of the format of action.yml that ours uses. Unknown keys are
// refused.
type action struct {
	inputs  map[string]actionInput
	outputs map[string]string
	steps   []actionStep
}

type actionInput struct {
	required bool
	fallback string
}

type actionStep struct {
	id     string
	always bool
	env    map[string]string
	run    string
}

func parseAction(data []byte) (action, error) {
	doc, err := yamldoc.Parse("action.yml", data)
	if err != nil {
		return action{}, err
	}
	a := action{inputs: map[string]actionInput{}, outputs: map[string]string{}}
	errs := []error{known(doc, "name", "description", "inputs", "outputs", "runs"), known(doc.Get("runs"), "using", "steps")}
	for _, e := range doc.Get("inputs").Entries() {
		errs = append(errs, known(e.Value, "description", "required", "default"))
		a.inputs[e.Key] = actionInput{e.Value.Get("required").Text() == "true", e.Value.Get("default").Text()}
	}
	for _, e := range doc.Get("outputs").Entries() {
		errs = append(errs, known(e.Value, "description", "value"))
		a.outputs[e.Key] = e.Value.Get("value").Text()
	}
	if using := doc.Get("runs").Get("using").Text(); using != "composite" {
		errs = append(errs, fmt.Errorf("the action is %q", using))
	}
	for _, n := range doc.Get("runs").Get("steps").Items() {
		step, err := parseActionStep(n)
		a.steps, errs = append(a.steps, step), append(errs, err)
	}
	return a, errors.Join(errs...)
}

func parseActionStep(n *yamldoc.Node) (actionStep, error) {
	s := actionStep{id: n.Get("id").Text(), env: map[string]string{}, run: n.Get("run").Text(), always: n.Get("if").Text() == "always()"}
	for _, e := range n.Get("env").Entries() {
		s.env[e.Key] = e.Value.Text()
	}
	err := known(n, "id", "if", "shell", "env", "run")
	if condition := n.Get("if"); condition != nil && !s.always {
		err = errors.Join(err, fmt.Errorf("%s: condition %q", condition.Pos(), condition.Text()))
	}
	if shell := n.Get("shell").Text(); shell != "bash" {
		err = errors.Join(err, fmt.Errorf("%s: shell %q", n.Pos(), shell))
	}
	if strings.Contains(s.run, "${{") {
		err = errors.Join(err, fmt.Errorf("%s: an expression is part of a script", n.Get("run").Pos()))
	}
	return s, err
}

func known(n *yamldoc.Node, keys ...string) error {
	for _, e := range n.Entries() {
		if !slices.Contains(keys, e.Key) {
			return fmt.Errorf("%s: key %q", e.KeyPos, e.Key)
		}
	}
	return nil
}

// actionRunner is a stand-in for the runner of GitHub Actions.
type actionRunner struct {
	action    action
	workspace string
	temp      string
	environ   []string // of every step
	inputs    map[string]string

	done   map[string]actionResult
	failed bool
	log    strings.Builder
}

type actionResult struct {
	outcome string
	outputs map[string]string
}

var actionExpression = regexp.MustCompile(`^\$\{\{ (?:inputs\.([a-z-]+)|steps\.([a-z]+)\.(outcome|outputs\.([a-z]+))) \}\}$`)

// value resolves an expression. An output that no step set is empty.
func (r *actionRunner) value(t *testing.T, text string) string {
	t.Helper()
	m := actionExpression.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("expression %q", text)
	}
	if input, ok := r.action.inputs[m[1]]; ok {
		if given, ok := r.inputs[m[1]]; ok {
			return given
		}
		return input.fallback
	}
	step, ok := r.done[m[2]]
	if !ok {
		t.Fatalf("expression %q: unknown input or earlier step", text)
	}
	if m[3] == "outcome" {
		return step.outcome
	}
	return step.outputs[m[4]]
}

// run runs the steps and returns the action's outputs.
func (r *actionRunner) run(t *testing.T) map[string]string {
	t.Helper()
	r.done = make(map[string]actionResult)
	for _, s := range r.action.steps {
		result := actionResult{outcome: "skipped"}
		if s.always || !r.failed {
			result = r.step(t, s)
		}
		r.done[s.id] = result
	}
	outputs := make(map[string]string)
	for name, text := range r.action.outputs {
		outputs[name] = r.value(t, text)
	}
	return outputs
}

// steering are the files by which a step affects later steps.
var steering = []string{"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"}

func (r *actionRunner) step(t *testing.T, s actionStep) actionResult {
	t.Helper()
	dir := t.TempDir()
	script := filepath.Join(dir, "script.sh")
	clitest.WriteFile(t, script, s.run, 0o600)
	cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	cmd.Dir, cmd.Env = r.workspace, slices.Clone(r.environ)
	cmd.Env = append(cmd.Env, "GITHUB_ACTIONS=true", "CI=true", "GITHUB_WORKSPACE="+r.workspace, "RUNNER_TEMP="+r.temp)
	for _, name := range steering {
		clitest.WriteFile(t, filepath.Join(dir, name), "", 0o600)
		cmd.Env = append(cmd.Env, name+"="+filepath.Join(dir, name))
	}
	for name, text := range s.env {
		cmd.Env = append(cmd.Env, name+"="+r.value(t, text))
	}
	out, err := cmd.CombinedOutput()
	fmt.Fprintf(&r.log, "--- %s: %v\n%s", s.id, err, out)
	result := actionResult{outcome: "success", outputs: parseActionOutputs(t, filepath.Join(dir, "GITHUB_OUTPUT"))}
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		result.outcome, r.failed = "failure", true
	} else if err != nil {
		t.Fatal(err)
	}
	for _, name := range steering[1:4] {
		if text := clitest.ReadFile(t, filepath.Join(dir, name)); text != "" {
			t.Errorf("step %s wrote %q to %s", s.id, text, name)
		}
	}
	return result
}

// parseActionOutputs parses lines of name=value.
func parseActionOutputs(t *testing.T, file string) map[string]string {
	t.Helper()
	outputs := make(map[string]string)
	for line := range strings.Lines(clitest.ReadFile(t, file)) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if _, again := outputs[name]; !ok || again || strings.Contains(name, "<") {
			t.Errorf("output %q", line)
		}
		outputs[name] = value
	}
	return outputs
}

// fakeStagecraft records each call on one line: its words and the steering files
// that it can write. FAKE_EXIT is the exit code of runs, but not of audit.
const fakeStagecraft = `#!/bin/bash
{
  printf '[%s]' "$@"
  for name in GITHUB_OUTPUT GITHUB_ENV GITHUB_PATH GITHUB_STATE; do
    if [ -n "${!name-}" ]; then printf ' %s' "$name"; fi
  done
  echo
} >>"$FAKE_CALLS"
for word in "$@"; do
  case $word in
    --audit=*) [ -n "${FAKE_NO_LOG-}" ] || : >"${word#--audit=}" ;;
    --html=*) : >"${word#--html=}" ;;
  esac
done
if [ "$1" = audit ]; then exit "${FAKE_AUDIT_EXIT-0}"; fi
if [ -n "${FAKE_EXIT-}" ]; then exit "$FAKE_EXIT"; fi
printf '%b' "${FAKE_RESULT-shop:dev\n}"
`

// newActionRunner returns a runner with blanks in the paths of its workspace and
// temporary directory, and the fake program in PATH.
func newActionRunner(t *testing.T, inputs map[string]string, environ ...string) *actionRunner {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake program is a shell script")
	}
	base := t.TempDir()
	r := &actionRunner{workspace: filepath.Join(base, "work space"), temp: filepath.Join(base, "te mp"), inputs: inputs}
	bin := filepath.Join(base, "bin")
	for _, dir := range []string{r.workspace, r.temp, bin} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	clitest.WriteFile(t, filepath.Join(bin, "stagecraft"), fakeStagecraft, 0o700)
	calls := filepath.Join(base, "calls")
	clitest.WriteFile(t, calls, "", 0o600)
	r.environ = append([]string{"PATH=" + bin + ":" + os.Getenv("PATH"), "FAKE_CALLS=" + calls}, environ...)
	r.action = theAction(t)
	return r
}

// actionFile reads one of the action's files.
func actionFile(t *testing.T, name string) string {
	t.Helper()
	return clitest.ReadFile(t, filepath.Join(clitest.Root(), ".github", "actions", "stagecraft", name))
}

func theAction(t *testing.T) action {
	t.Helper()
	a, err := parseAction([]byte(actionFile(t, "action.yml")))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// calls returns the calls of the fake program, with directories replaced.
func (r *actionRunner) calls(t *testing.T) []string {
	t.Helper()
	text := clitest.ReadFile(t, filepath.Join(filepath.Dir(r.temp), "calls"))
	return strings.FieldsFunc(r.short(text), func(c rune) bool { return c == '\n' })
}

func (r *actionRunner) short(text string) string {
	return strings.NewReplacer(r.workspace, "WORK", r.temp, "TEMP").Replace(text)
}

func TestAction(t *testing.T) {
	const (
		end    = "[--directory=.][--locked][--audit=TEMP/stagecraft-audit.jsonl][--sarif=TEMP/stagecraft.sarif]"
		verify = "[audit][verify][TEMP/stagecraft-audit.jsonl] GITHUB_OUTPUT GITHUB_ENV GITHUB_PATH GITHUB_STATE"
		report = "[audit][report][TEMP/stagecraft-audit.jsonl][--html=TEMP/stagecraft-report.html] GITHUB_OUTPUT GITHUB_ENV GITHUB_PATH GITHUB_STATE"
		evil   = "$(touch pwned)`touch pwned`;touch pwned\";touch pwned;'"
	)
	for _, tt := range []struct {
		name    string
		inputs  map[string]string
		environ []string
		calls   []string
		failed  string // the steps that fail
		image   string
	}{
		{name: "defaults", inputs: map[string]string{"ceiling": "ceiling.yml"}, calls: []string{"[build][--policy=ceiling.yml]" + end, verify, report}, image: "shop:dev"},
		{
			name: "all inputs",
			inputs: map[string]string{
				"ceiling": "a b.yml\n\n/c.yml\n", "command": "build\n--tag\nshop:1 2\n", "working-directory": "the shop",
				"audit": "out/a b.jsonl", "sarif": "/tmp/s.sarif", "report": "r p.html",
			},
			calls: []string{
				"[build][--tag][shop:1 2][--policy=a b.yml][--policy=/c.yml][--directory=the shop][--locked][--audit=WORK/out/a b.jsonl][--sarif=/tmp/s.sarif]",
				"[audit][verify][WORK/out/a b.jsonl] GITHUB_OUTPUT GITHUB_ENV GITHUB_PATH GITHUB_STATE",
				"[audit][report][WORK/out/a b.jsonl][--html=WORK/r p.html] GITHUB_OUTPUT GITHUB_ENV GITHUB_PATH GITHUB_STATE",
			},
			image: "shop:dev",
		},
		{
			name:   "inputs are not scripts",
			inputs: map[string]string{"ceiling": evil, "command": "build\n" + evil, "working-directory": evil},
			calls:  []string{"[build][" + evil + "][--policy=" + evil + "][--directory=" + evil + "][--locked][--audit=TEMP/stagecraft-audit.jsonl][--sarif=TEMP/stagecraft.sarif]", verify, report},
			image:  "shop:dev",
		},
		{name: "denied", inputs: map[string]string{"ceiling": "c"}, environ: []string{"FAKE_EXIT=3"}, calls: []string{"[build][--policy=c]" + end, verify, report}, failed: "run"},
		{name: "changed log", inputs: map[string]string{"ceiling": "c"}, environ: []string{"FAKE_AUDIT_EXIT=1"}, calls: []string{"[build][--policy=c]" + end, verify, report}, failed: "verify report", image: "shop:dev"},
		{name: "no log of a failed run", inputs: map[string]string{"ceiling": "c"}, environ: []string{"FAKE_EXIT=78", "FAKE_NO_LOG=1"}, calls: []string{"[build][--policy=c]" + end}, failed: "run"},
		{name: "no log of a done run", inputs: map[string]string{"ceiling": "c"}, environ: []string{"FAKE_NO_LOG=1", "FAKE_AUDIT_EXIT=1"}, calls: []string{"[build][--policy=c]" + end, verify, report}, failed: "verify report", image: "shop:dev"},
		{name: "dev", inputs: map[string]string{"ceiling": "c", "command": "dev"}, calls: []string{"[dev][--policy=c]" + end, verify, report}},
		{name: "no ceiling", failed: "run"},
		{name: "empty ceiling", inputs: map[string]string{"ceiling": "\n\n"}, failed: "run"},
		{name: "another command", inputs: map[string]string{"ceiling": "c", "command": "provider\ntrust\nx"}, failed: "run"},
		{name: "no command", inputs: map[string]string{"ceiling": "c", "command": ""}, failed: "run"},
		{name: "a path of two lines", inputs: map[string]string{"ceiling": "c", "audit": "a\nimage=evil"}, failed: "paths"},
		{name: "a result of two lines", inputs: map[string]string{"ceiling": "c"}, environ: []string{`FAKE_RESULT=a\nb=c\n`}, calls: []string{"[build][--policy=c]" + end, verify, report}, failed: "run"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newActionRunner(t, tt.inputs, tt.environ...)
			if err := os.Mkdir(filepath.Join(r.workspace, "out"), 0o700); err != nil {
				t.Fatal(err)
			}
			outputs := r.run(t)
			if diff := cmp.Diff(strings.Join(tt.calls, "\n"), strings.Join(r.calls(t), "\n")); diff != "" {
				t.Errorf("calls: %s", diff)
			}
			var failed []string
			for _, s := range r.action.steps {
				if r.done[s.id].outcome == "failure" {
					failed = append(failed, s.id)
				}
			}
			if got := strings.Join(failed, " "); got != tt.failed {
				t.Errorf("failed %q, want %q", got, tt.failed)
			}
			if outputs["image"] != tt.image {
				t.Errorf("image %q, want %q", outputs["image"], tt.image)
			}
			if found, _ := filepath.Glob(filepath.Join(r.workspace, "pwned*")); found != nil {
				t.Error("an input was run")
			}
			if t.Failed() {
				t.Log(r.log.String())
			}
		})
	}
}

// TestActionForReal builds an example under its ceiling with the real program, and
// is denied another build.
func TestActionForReal(t *testing.T) {
	host := providertest.NeedEngine(t)
	for _, tt := range []struct{ name, config, image, failed, denied string }{
		{name: "allowed", image: "registry.example/acme/shop:dev"},
		{
			name: "denied", failed: "run", denied: "denied/docker_build",
			config: "project: {name: other, registry: registry.example/acme}\nbackend: {provider: generic, providers: {generic: {dev: {command: [echo], workdir: app}}}}\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newActionRunner(t, map[string]string{"ceiling": "ceiling.yml", "working-directory": "shop", "stagecraft": clitest.Binary()},
				"DOCKER_HOST="+host, "HOME="+t.TempDir(), "XDG_CACHE_HOME="+clitest.Cache())
			if err := os.CopyFS(filepath.Join(r.workspace, "shop"), os.DirFS(filepath.Join(clitest.Root(), "examples/ci-policy"))); err != nil {
				t.Fatal(err)
			}
			clitest.WriteFile(t, filepath.Join(r.workspace, "ceiling.yml"), clitest.ReadFile(t, filepath.Join(r.workspace, "shop/ci/ceiling.yml")), 0o600)
			if tt.config != "" {
				clitest.WriteFile(t, filepath.Join(r.workspace, "shop/stagecraft.yml"), tt.config, 0o600)
			}
			outputs := r.run(t)
			if outputs["image"] != tt.image || (tt.failed == "") != (r.done["run"].outcome == "success") {
				t.Errorf("image %q, run: %s", outputs["image"], r.done["run"].outcome)
			}
			for _, step := range []string{"verify", "report"} {
				if r.done[step].outcome != "success" {
					t.Errorf("%s: %s", step, r.done[step].outcome)
				}
			}
			if !strings.Contains(clitest.ReadFile(t, outputs["report"]), "docker_build") || !strings.Contains(clitest.ReadFile(t, outputs["sarif"]), `"results": [`) {
				t.Error("the report or the denials are missing")
			}
			if got := clitest.ReadFile(t, outputs["sarif"]); tt.denied != "" && !strings.Contains(got, tt.denied) || tt.denied == "" && strings.Contains(got, "ruleId") {
				t.Errorf("denials: %s", got)
			}
			if t.Failed() {
				t.Log(r.log.String())
			}
		})
	}
}

func TestActionOutputs(t *testing.T) {
	r := newActionRunner(t, map[string]string{"ceiling": "c", "report": "r p.html"})
	got := make(map[string]string)
	for name, value := range r.run(t) {
		got[name] = r.short(value)
	}
	want := map[string]string{
		"image": "shop:dev", "audit": "TEMP/stagecraft-audit.jsonl", "sarif": "TEMP/stagecraft.sarif", "report": "WORK/r p.html",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, r.log.String())
	}
}

// The program that verifies is chosen before one runs that could change PATH.
func TestActionProgram(t *testing.T) {
	r := newActionRunner(t, map[string]string{"ceiling": "c", "stagecraft": "my tools/stage"})
	tools := filepath.Join(r.workspace, "my tools")
	if err := os.Mkdir(tools, 0o700); err != nil {
		t.Fatal(err)
	}
	clitest.WriteFile(t, filepath.Join(tools, "stage"), fakeStagecraft, 0o700)
	r.run(t)
	if calls := r.calls(t); len(calls) != 3 || r.failed {
		t.Errorf("calls %q\n%s", calls, r.log.String())
	}
	if got, want := r.done["paths"].outputs["stagecraft"], filepath.Join(tools, "stage"); got != want {
		t.Errorf("the program is %q, want %q", got, want)
	}

	r = newActionRunner(t, map[string]string{"ceiling": "c"})
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	r.environ = append(r.environ, "PATH="+filepath.Dir(bash))
	if _, err := os.Stat(filepath.Join(filepath.Dir(bash), "stagecraft")); err == nil {
		t.Skip("there is a stagecraft beside bash")
	}
	r.run(t)
	if calls := r.calls(t); len(calls) != 0 || r.done["paths"].outcome != "failure" {
		t.Errorf("calls %q\n%s", calls, r.log.String())
	}
}

// TestActionStandIn shows that the stand-in refuses unknown keys.
func TestActionStandIn(t *testing.T) {
	text := actionFile(t, "action.yml")
	for _, change := range [][2]string{
		{"using: composite", "using: node24"},
		{"shell: bash", "shell: sh"},
		{"if: always()", "if: failure()"},
		{"      run: |", "      uses: actions/checkout@v4"},
		{"set -euo pipefail", "echo ${{ inputs.command }}"},
		{"required: true", "requires: true"},
		{"    value:", "    values:"},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Errorf("the action has no %q", change[0])
		}
		if _, err := parseAction([]byte(changed)); err == nil {
			t.Errorf("%q is taken for %q", change[1], change[0])
		}
	}
}

func TestActionReadme(t *testing.T) {
	a, readme := theAction(t), actionFile(t, "README.md")
	if !a.inputs["ceiling"].required || a.inputs["ceiling"].fallback != "" {
		t.Error("the ceiling is not required")
	}
	for _, names := range []iter.Seq[string]{maps.Keys(a.inputs), maps.Keys(a.outputs)} {
		for name := range names {
			if !strings.Contains(readme, "`"+name+"`") {
				t.Errorf("README.md: missing %s", name)
			}
		}
	}
	// Third-party actions are pinned by commit.
	pins := regexp.MustCompile(`uses: (actions/\S+)@(\S+)`).FindAllStringSubmatch(readme, -1)
	for _, m := range pins {
		if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(m[2]) {
			t.Errorf("%s is pinned to %q", m[1], m[2])
		}
	}
	if len(pins) == 0 {
		t.Error("README.md: missing workflow")
	}
}
