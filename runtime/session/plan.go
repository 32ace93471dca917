package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// PlanVersion is the version of plan files.
const PlanVersion = 1

// Plan lists what a command would do, in order. In JSON it is a plan file.
type Plan struct {
	Version  int           `json:"version"`
	Command  string        `json:"command"`
	Provider PlannedModule `json:"provider"`
	Config   PlannedFile   `json:"config"`
	Policies []PlannedFile `json:"policies"`
	Tag      string        `json:"tag,omitempty"`
	Push     bool          `json:"push,omitempty"`
	// Tags are further references.
	Tags []string `json:"tags,omitempty"`
	// NoCache and Pull are the user's settings.
	NoCache bool           `json:"no_cache,omitempty"`
	Pull    bool           `json:"pull,omitempty"`
	Steps   []PlannedStep  `json:"steps"`
	Allowed bool           `json:"allowed"`
	Failure *PlannedFailed `json:"failure,omitempty"`

	digest string // SHA-256 of the file that it was read from, in hex
}

// PlannedModule is the provider that a plan was made with.
type PlannedModule struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
}

// PlannedFile is a file that a plan was made with.
type PlannedFile struct {
	Layer  string `json:"layer,omitempty"`
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// PlannedFailed is a failure that is known before the run.
type PlannedFailed struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// PlannedStep is one effect, and the decisions of the policies.
type PlannedStep struct {
	Operation string `json:"operation"`
	PlannedDetail
	Asked   string          `json:"asked"`
	Allowed bool            `json:"allowed"`
	Layers  []LayerDecision `json:"layers"`
	// Environment lists the variables that reach the step's program. It is not
	// compared when the plan is carried out, since it differs between users.
	Environment []hostfuncs.EnvStep `json:"environment,omitempty"`
	// Unknown lists what the answer will contain that is not known before. Later
	// steps may depend on it.
	Unknown []string       `json:"unknown,omitempty"`
	Failure *PlannedFailed `json:"failure,omitempty"`
}

// PlannedDetail is exactly what a step does. One field is set.
type PlannedDetail struct {
	Exec  *exec.Step       `json:"exec,omitempty"`
	Build *build.Step      `json:"build,omitempty"`
	Image *build.ImageStep `json:"image,omitempty"`
	Probe *exec.ProbeStep  `json:"probe,omitempty"`
	Watch *exec.WatchStep  `json:"watch,omitempty"`
}

func planned(detail hostfuncs.Detail) (p PlannedDetail) {
	switch d := detail.(type) {
	case *exec.Step:
		p.Exec = d
	case *build.Step:
		p.Build = d
	case *build.ImageStep:
		p.Image = d
	case *exec.ProbeStep:
		p.Probe = d
	case *exec.WatchStep:
		p.Watch = d
	}
	return p
}

func (p PlannedDetail) detail() hostfuncs.Detail {
	switch {
	case p.Exec != nil:
		return p.Exec
	case p.Build != nil:
		return p.Build
	case p.Image != nil:
		return p.Image
	case p.Probe != nil:
		return p.Probe
	case p.Watch != nil:
		return p.Watch
	}
	return nil
}

// Plan runs the provider with every effect withheld, and lists the effects.
//
// # Errors
//
// Those of a run, except denials and the provider's own error, which are in the plan.
func (s *Session) Plan(ctx context.Context, command string, opts BuildOptions) (*Plan, error) {
	m := new(planMode)
	if command == CommandBuild && opts.Tag == "" {
		opts.Tag = s.DefaultTag()
	}
	done, err := s.command(ctx, m, command, opts)
	if _, wrong := errors.AsType[*FlagError](err); wrong {
		return nil, err
	}
	failure, isReply := errors.AsType[*abi.Error](err)
	if err != nil && (!isReply || ctx.Err() != nil || done.run == nil) {
		return nil, err
	}
	plan := &Plan{
		Version: PlanVersion, Command: command, Provider: PlannedModule{s.config.Provider, done.module.Digest()},
		Config: PlannedFile{Name: s.config.File, SHA256: s.config.Digest}, Tag: opts.Tag, Push: opts.Push, Tags: s.opts.Builds.Tags,
		NoCache: s.opts.Builds.NoCache, Pull: s.opts.Builds.Pull,
		Policies: []PlannedFile{}, Steps: []PlannedStep{}, Allowed: true, Failure: planFailure(failure),
	}
	for _, p := range s.policies() {
		plan.Policies = append(plan.Policies, PlannedFile{string(p.Layer), p.Name, p.Digest})
	}
	for _, step := range m.withheld.Steps {
		plan.add(step)
	}
	// A withheld process runs until the run is interrupted, which is how it should
	// end.
	if failure != nil && failure.Code == abi.CodeInterrupted {
		plan.Failure = nil
	}
	return plan, nil
}

func (p *Plan) add(step hostfuncs.PlannedStep) {
	allowed := step.Record.Decision.Allowed
	p.Allowed = p.Allowed && allowed
	p.Steps = append(p.Steps, PlannedStep{
		Operation: step.Operation, PlannedDetail: planned(step.Detail), Asked: step.Record.Claim.String(), Allowed: allowed, Layers: LayerDecisions(step.Record),
		Environment: step.Record.Environment, Unknown: step.Unknown, Failure: planFailure(step.Failure),
	})
}

func planFailure(e *abi.Error) *PlannedFailed {
	if e == nil {
		return nil
	}
	return &PlannedFailed{Code: string(e.Code), Message: termtext.Clean(e.Message)}
}

// PlanError says what is wrong with a plan file.
type PlanError struct {
	File, Reason, Advice string
	// Other is set if the plan is for another provider or module.
	Other bool
}

func (e *PlanError) Error() string { return e.File + ": " + e.Reason }

// Hint says what to do about it.
func (e *PlanError) Hint() string { return e.Advice }

// ParsePlan reads a plan file; file is its name in messages.
//
// # Errors
//
// A [*PlanError].
func ParsePlan(file string, data []byte) (*Plan, error) {
	p := new(Plan)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(p)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("unexpected data after the plan")
		}
	}
	const advice = "make one with: stagecraft plan build --out FILE"
	switch {
	case err != nil:
		return nil, &PlanError{file, "not a plan: " + err.Error(), advice, false}
	case p.Version != PlanVersion:
		return nil, &PlanError{file, fmt.Sprintf("unknown version %d, expected %d", p.Version, PlanVersion), advice, false}
	case p.Command != CommandBuild:
		return nil, &PlanError{file, fmt.Sprintf("expected a plan of build, got one of %q", p.Command), advice, false}
	case p.Tag == "":
		return nil, &PlanError{file, "missing tag", advice, false}
	}
	sum := sha256.Sum256(data)
	p.digest = hex.EncodeToString(sum[:])
	return p, nil
}

// flags are the plan's settings that not every provider can carry out.
func (p *Plan) flags(file string) []Flag {
	flags := BuildSettings{Tags: p.Tags, NoCache: p.NoCache, Pull: p.Pull}.Flags()
	for i := range flags {
		flags[i].Name += " of " + file
	}
	return flags
}

// contexts are the directories that a plan's builds send. Their digests were compared
// with the plan's.
func (p *Plan) contexts() []provenance.Context {
	var contexts []provenance.Context
	for _, step := range p.Steps {
		if b := step.Build; b != nil && b.SHA256 != "" {
			contexts = append(contexts, provenance.Context{Directory: b.Context, SHA256: b.SHA256})
		}
	}
	return contexts
}

// EnvironmentRows lists the variables that reach a program, without their values: one
// line for each source.
func EnvironmentRows(steps []hostfuncs.EnvStep) []string {
	var order []string
	names := make(map[string][]string)
	for _, s := range steps {
		from, name := "from your environment: ", s.Name
		switch s.By {
		case hostfuncs.EnvHost:
			from = "from stagecraft: "
		case hostfuncs.EnvFile:
			from = "from " + s.From + ": "
		case hostfuncs.EnvProvider:
			from = "sets "
			if s.From != "" {
				name += " from " + s.From
			}
		}
		if names[from] == nil {
			order = append(order, from)
		}
		names[from] = append(names[from], name)
	}
	rows := make([]string, len(order))
	for i, from := range order {
		rows[i] = from + strings.Join(names[from], ", ")
	}
	return rows
}
