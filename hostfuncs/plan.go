package hostfuncs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Step is one effect, exactly as it would be. It has the part that its
// operation needs. Values of variables and arguments stand in it as digests.
type Step struct {
	Operation string     `json:"operation"`
	Exec      *ExecStep  `json:"exec,omitempty"`
	Build     *BuildStep `json:"build,omitempty"`
	Image     *ImageStep `json:"image,omitempty"`
	Probe     *ProbeStep `json:"probe,omitempty"`
}

// ExecStep is a program that would run.
type ExecStep struct {
	Argv []string `json:"argv"`
	// Program is the absolute path of the file, empty where there is none.
	Program string `json:"program,omitempty"`
	// Dir is relative to the project directory.
	Dir string `json:"dir"`
	// Env are the variables that the provider sets, sorted by name.
	Env []ValueStep `json:"env,omitempty"`
	// Stdin is what it reads, where the provider gives it something.
	Stdin     *ValueStep `json:"stdin,omitempty"`
	Capture   bool       `json:"capture,omitempty"`
	TimeoutMS int64      `json:"timeout_ms,omitempty"`
	// Once is the name of what the command puts somewhere, and Unchanged says
	// that it would not run, since it did with the same input.
	Once      string `json:"once,omitempty"`
	Unchanged bool   `json:"unchanged,omitempty"`
	// Interactive leaves Ctrl-C to the program.
	Interactive bool `json:"interactive,omitempty"`
	// Daemons are commands that it may leave running after the run.
	Daemons [][]string `json:"daemons,omitempty"`
}

// ValueStep is a value that would be used, without the value.
type ValueStep struct {
	Name string `json:"name,omitempty"`
	// From is the variable, or the dotenv file, that the value is taken from;
	// else SHA256 is that of the value, in hex.
	From   string `json:"from,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// String is the name of the value, and that of the variable or file it is from.
func (v ValueStep) String() string {
	if v.From == "" {
		return v.Name
	}
	return v.Name + " from " + v.From
}

// EnvStep is a variable that reaches a program, without its value.
type EnvStep struct {
	Name string `json:"name"`
	By   EnvBy  `json:"by"`
	// From is the dotenv file, or the variable that the provider takes the value
	// from.
	From string `json:"from,omitempty"`
}

// EnvBy says who gives a variable to a program.
type EnvBy string

// Those who give variables: the user's environment, this program itself, a dotenv
// file that the provider names, the provider.
const (
	EnvUser     EnvBy = "user"
	EnvHost     EnvBy = "stagecraft"
	EnvFile     EnvBy = "file"
	EnvProvider EnvBy = "provider"
)

// BuildStep is an image that would be built. Paths are relative to the project
// directory.
type BuildStep struct {
	Context    string      `json:"context"`
	Dockerfile string      `json:"dockerfile"`
	Tags       []string    `json:"tags"`
	Args       []ValueStep `json:"args,omitempty"`
	Target     string      `json:"target,omitempty"`
	Network    string      `json:"network,omitempty"`
	Push       bool        `json:"push,omitempty"`
	// Labels and Secrets are sorted by their names.
	Labels    []ValueStep `json:"labels,omitempty"`
	Platforms []string    `json:"platforms,omitempty"`
	Secrets   []ValueStep `json:"secrets,omitempty"`
	CacheFrom []string    `json:"cache_from,omitempty"`
	CacheTo   []string    `json:"cache_to,omitempty"`
	// Bases, Syntax and Remotes are what the Dockerfile names, and Engine is one
	// that is no socket of this machine.
	Bases   []string `json:"bases,omitempty"`
	Layouts []string `json:"layouts,omitempty"`
	Syntax  string   `json:"syntax,omitempty"`
	Remotes []string `json:"remotes,omitempty"`
	Engine  string   `json:"engine,omitempty"`
	Outputs []string `json:"outputs,omitempty"`
	Load    bool     `json:"load,omitempty"`
	// Files and Bytes are those of the context as it would be sent, and SHA256
	// is over their names, modes and contents, in hex.
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
}

// PlannedStep is a step of a plan, and what was decided on it.
type PlannedStep struct {
	Step
	Record *Record
	// Unknown says what of the answer can't be known before, in words. What
	// comes after in the plan supposes it.
	Unknown []string
	// Failure is why the step can't work, as far as that is known before.
	Failure *abi.Error
}

// Plan gathers the effects that a provider asks for, and has none of them. The
// provider is answered as if each had worked, one that the policies deny as
// well, so that all of them are known after one run.
type Plan struct{ Steps []PlannedStep }

// withhold answers an effect without having it.
func (p *Plan) withhold(ctx context.Context, call *prepared, rec *Record) (any, error) {
	step, broken := call.step(ctx)
	if broken != nil && (step.Operation == "" || ctx.Err() != nil) {
		return nil, broken
	}
	result, unknown, err := call.foretell()
	if err == nil {
		err = broken
	}
	planned := PlannedStep{Step: step, Record: rec, Unknown: unknown}
	if rec.Denied() {
		// What is missing is for those to know who may have it.
		err = nil
	}
	if err != nil {
		planned.Failure = asError(ctx, rec.Operation, err)
	}
	p.Steps = append(p.Steps, planned)
	return result, err
}

// Held is a plan that a run is held to: its effects alone are had, in their
// order.
type Held struct {
	// Name is the plan's, for messages.
	Name  string
	Steps []Step
	next  int
}

// decide is the plan's word on the next effect: one more layer, which can only
// narrow.
func (h *Held) decide(ctx context.Context, call *prepared) capability.Decision {
	step, err := call.step(ctx)
	rule := fmt.Sprintf("step %d", h.next+1)
	switch {
	case err != nil:
		return capability.Said(capability.Planned, h.Name, rule, err.Error())
	case h.next >= len(h.Steps):
		return capability.Said(capability.Planned, h.Name, rule, fmt.Sprintf("the plan has %d steps, and this is one more", len(h.Steps)))
	}
	planned := h.Steps[h.next]
	if planned.unchanged() && !step.unchanged() {
		return capability.Said(capability.Planned, h.Name, rule, rule+" of the plan is not to run, and its input has changed since")
	}
	if why := Differs(planned, step.asPlanned(planned)); why != "" {
		return capability.Said(capability.Planned, h.Name, rule, rule+" of the plan is another one: "+why)
	}
	h.next++
	return capability.Said(capability.Planned, h.Name, rule, "")
}

// asPlanned is a step that a plan allows as it allows another one: one that was
// planned to run may do less.
func (s Step) asPlanned(planned Step) Step {
	if s.unchanged() && planned.Exec != nil {
		exec := *s.Exec
		exec.Unchanged = planned.Exec.Unchanged
		s.Exec = &exec
	}
	return s
}

// unchanged tells of a command that does not run.
func (s Step) unchanged() bool { return s.Exec != nil && s.Exec.Unchanged }

// Left is how many steps of the plan did not come.
func (h *Held) Left() int { return len(h.Steps) - h.next }

// Differs says where a step is not the planned one, empty where it is.
func Differs(planned, step Step) string {
	want, got := flat(planned), flat(step)
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("planned %s, now %s", want[i], got[i])
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("planned %d details, now %d", len(want), len(got))
	}
	return ""
}

// flat lists the details of a step, each with its name, sorted.
func flat(s Step) []string {
	var tree any
	// A step is made of strings, numbers and lists alone.
	data, _ := json.Marshal(s)
	_ = json.Unmarshal(data, &tree)
	return flatten(nil, "", tree)
}

func flatten(out []string, name string, v any) []string {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = flatten(out, strings.TrimPrefix(name+"."+key, "."), v[key])
		}
	case []any:
		for i, item := range v {
			out = flatten(out, fmt.Sprintf("%s[%d]", name, i), item)
		}
	default:
		data, _ := json.Marshal(v)
		out = append(out, name+" "+string(data))
	}
	return out
}

// valueStep is a value as a step has it.
func valueStep(name string, v abi.Value) ValueStep {
	if v.Env != "" {
		return ValueStep{Name: name, From: v.Env}
	}
	sum := sha256.Sum256([]byte(v.Text))
	return ValueStep{Name: name, SHA256: hex.EncodeToString(sum[:])}
}
