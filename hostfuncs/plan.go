package hostfuncs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Step is one effect, described exactly.
type Step struct {
	Operation string
	Detail    Detail
}

// Detail is an operation's description of a step. It is encoded as JSON, with digests
// instead of the values of variables and arguments.
type Detail interface {
	// Kind is the name of the detail in a plan.
	Kind() string
}

// Adapter is a [Detail] that need not be equal to the planned one.
type Adapter interface {
	Detail
	// AsPlanned returns the detail with the parts that may differ taken from the
	// planned one, or an error if the step may not replace the planned one.
	AsPlanned(planned Detail) (Detail, error)
}

// PlannedStep is a step of a plan and the decision about it.
type PlannedStep struct {
	Step
	Record *Record
	// Unknown says in words what of the result is not known before. Later steps
	// assume the preview.
	Unknown []string
	// Failure is why the step would fail, as far as that is known before.
	Failure *abi.Error
}

// Plan collects the effects that a provider asks for. None of them happens, but the
// provider gets results as if each had worked, even if policies deny it, so that one run
// shows all of them.
type Plan struct{ Steps []PlannedStep }

// preview adds an effect to the plan and returns its previewed result.
func (p *Plan) preview(ctx context.Context, call *prepared, rec *Record) (any, error) {
	step, broken := call.step(ctx)
	if broken != nil && (step.Detail == nil || ctx.Err() != nil) {
		return nil, broken
	}
	result, unknown, err := call.preview()
	if err == nil {
		err = broken
	}
	planned := PlannedStep{Step: step, Record: rec, Unknown: unknown}
	if rec.Denied() {
		// A denied provider must not learn what is missing.
		err = nil
	}
	if err != nil {
		planned.Failure = asError(ctx, rec.Operation, err)
	}
	p.Steps = append(p.Steps, planned)
	return result, err
}

// Planned restricts a run to the steps of a plan, in their order.
type Planned struct {
	// Name is the plan's name in messages.
	Name  string
	Steps []Step
	next  int
}

// decide is the plan's decision about the next effect: one more layer, which can only
// narrow.
func (p *Planned) decide(ctx context.Context, call *prepared) capability.Decision {
	why := p.refuse(ctx, call)
	rule := fmt.Sprintf("step %d", p.next+1)
	if why == "" {
		p.next++
	}
	return capability.Said(capability.Planned, p.Name, rule, why)
}

// refuse says why the next effect is not the plan's next step, or nothing.
func (p *Planned) refuse(ctx context.Context, call *prepared) string {
	step, err := call.step(ctx)
	switch {
	case err != nil:
		return err.Error()
	case p.next >= len(p.Steps):
		return fmt.Sprintf("the plan has only %d steps", len(p.Steps))
	}
	planned := p.Steps[p.next]
	rule := fmt.Sprintf("step %d of the plan ", p.next+1)
	if adapter, ok := step.Detail.(Adapter); ok {
		if step.Detail, err = adapter.AsPlanned(planned.Detail); err != nil {
			return rule + err.Error()
		}
	}
	if why := Differs(planned, step); why != "" {
		return rule + "differs: " + why
	}
	return ""
}

// Left is the number of steps that are not carried out yet.
func (p *Planned) Left() int { return len(p.Steps) - p.next }

// Differs says where a step differs from the planned one, or nothing.
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

// flat lists the values in a step, each with its name, sorted.
func flat(s Step) []string {
	named := map[string]any{"operation": s.Operation}
	if s.Detail != nil {
		named[s.Detail.Kind()] = s.Detail
	}
	var tree any
	// This cannot fail: details consist of strings, numbers and lists.
	data, _ := json.Marshal(named)
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
