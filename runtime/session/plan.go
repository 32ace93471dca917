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

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// The commands that have effects, and so a plan.
const (
	CommandDev   = "dev"
	CommandBuild = "build"
)

// PlanVersion is the version of plan files that is written and read.
const PlanVersion = 1

// Plan is what a command would do, in order. In JSON it is a plan file.
type Plan struct {
	Version  int           `json:"version"`
	Command  string        `json:"command"`
	Provider PlannedModule `json:"provider"`
	Config   PlannedFile   `json:"config"`
	Policies []PlannedFile `json:"policies"`
	Tag      string        `json:"tag,omitempty"`
	Push     bool          `json:"push,omitempty"`
	// Tags are the references besides Tag.
	Tags []string `json:"tags,omitempty"`
	// NoCache and Pull were said of the builds.
	NoCache bool           `json:"no_cache,omitempty"`
	Pull    bool           `json:"pull,omitempty"`
	Steps   []PlannedStep  `json:"steps"`
	Allowed bool           `json:"allowed"`
	Failure *PlannedFailed `json:"failure,omitempty"`

	digest string // of the file that it was read from, in hex
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

// PlannedFailed is what can't work, as far as that is known before.
type PlannedFailed struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// PlannedStep is one effect, and what the policies say of it.
type PlannedStep struct {
	Operation string `json:"operation"`
	PlannedDetail
	Asked   string `json:"asked"`
	Allowed bool   `json:"allowed"`
	Layers  []Said `json:"layers"`
	// Environment is what reaches the program that the step runs. It is told, and
	// no part of the step: another user's is another one.
	Environment []hostfuncs.EnvStep `json:"environment,omitempty"`
	// Unknown is what of the answer can't be known before. Later steps may
	// depend on it.
	Unknown []string       `json:"unknown,omitempty"`
	Failure *PlannedFailed `json:"failure,omitempty"`
}

// PlannedDetail is exactly what a step does. It has the one that its operation
// describes.
type PlannedDetail struct {
	Exec  *exec.Step       `json:"exec,omitempty"`
	Build *build.Step      `json:"build,omitempty"`
	Image *build.ImageStep `json:"image,omitempty"`
	Probe *exec.ProbeStep  `json:"probe,omitempty"`
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
	}
	return nil
}

// Plan runs the provider with every effect withheld, and tells what it would
// have done. A provider that ends with an error is a part of the plan.
//
// # Errors
//
// As for a run, but for denials and what the provider says.
func (s *Session) Plan(ctx context.Context, command string, opts BuildOptions) (*Plan, error) {
	s.planning = new(hostfuncs.Plan)
	if command == CommandBuild && opts.Tag == "" {
		opts.Tag = s.DefaultTag()
	}
	err := s.command(ctx, command, opts)
	if _, wrong := errors.AsType[*FlagError](err); wrong {
		return nil, err
	}
	failure, isReply := errors.AsType[*abi.Error](err)
	if err != nil && (!isReply || ctx.Err() != nil) {
		return nil, err
	}
	plan := &Plan{
		Version: PlanVersion, Command: command, Provider: PlannedModule{s.config.Provider, s.selected.digest},
		Config: PlannedFile{Name: s.config.File, SHA256: s.config.Digest}, Tag: opts.Tag, Push: opts.Push, Tags: s.opts.Builds.Tags,
		NoCache: s.opts.Builds.NoCache, Pull: s.opts.Builds.Pull,
		Policies: []PlannedFile{}, Steps: []PlannedStep{}, Allowed: true, Failure: planFailure(failure),
	}
	for _, p := range s.files() {
		plan.Policies = append(plan.Policies, PlannedFile{string(p.Layer), p.Name, p.Digest})
	}
	for _, step := range s.planning.Steps {
		plan.add(step)
	}
	// In a plan what was started runs until the run is asked to end, which is
	// how it should end.
	if failure != nil && failure.Code == abi.CodeInterrupted {
		plan.Failure = nil
	}
	return plan, nil
}

func (p *Plan) add(step hostfuncs.PlannedStep) {
	allowed := step.Record.Decision.Allowed
	p.Allowed = p.Allowed && allowed
	p.Steps = append(p.Steps, PlannedStep{
		Operation: step.Operation, PlannedDetail: planned(step.Detail), Asked: step.Record.Claim.String(), Allowed: allowed, Layers: SaidBy(step.Record),
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
	// Other is set where the plan is one of something else than what would be
	// built now.
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
			err = errors.New("more follows after the plan")
		}
	}
	const advice = "make one with: stagecraft plan build --out FILE"
	switch {
	case err != nil:
		return nil, &PlanError{file, "it is no plan: " + err.Error(), advice, false}
	case p.Version != PlanVersion:
		return nil, &PlanError{file, fmt.Sprintf("it is of version %d, this stagecraft reads %d", p.Version, PlanVersion), advice, false}
	case p.Command != CommandBuild:
		return nil, &PlanError{file, fmt.Sprintf("it is a plan of %q, not of build", p.Command), advice, false}
	case p.Tag == "":
		return nil, &PlanError{file, "it has no tag", advice, false}
	}
	sum := sha256.Sum256(data)
	p.digest = hex.EncodeToString(sum[:])
	return p, nil
}

// BuildPlanned builds exactly what a plan has: its effects, in their order, by
// the same module, and no other. The policies hold as ever.
func (s *Session) BuildPlanned(ctx context.Context, file string, plan *Plan, flags []Flag) (Image, error) {
	if plan.Provider.ID != s.config.Provider {
		return Image{}, &PlanError{file, fmt.Sprintf("it was made with provider %s, and the configuration has %s", plan.Provider.ID, s.config.Provider), "plan again", true}
	}
	s.held, s.plan = &hostfuncs.Planned{Name: file}, plan
	s.wanted, s.opts.Builds.Tags = plan.Provider.SHA256, plan.Tags
	s.opts.Builds.NoCache = s.opts.Builds.NoCache || plan.NoCache
	s.opts.Builds.Pull = s.opts.Builds.Pull || plan.Pull
	for _, step := range plan.Steps {
		s.held.Steps = append(s.held.Steps, hostfuncs.Step{Operation: step.Operation, Detail: step.detail()})
	}
	return s.Build(ctx, BuildOptions{Tag: plan.Tag, Push: plan.Push, Flags: append(flags, plan.flags(file)...)})
}

// flags are what a plan says of the build, as far as not every provider can carry
// it out.
func (p *Plan) flags(file string) []Flag {
	var flags []Flag
	if len(p.Tags) > 0 {
		flags = append(flags, Flag{"the further references of " + file, abi.OptionTags})
	}
	if p.NoCache {
		flags = append(flags, Flag{"--no-cache of " + file, abi.OptionNoCache})
	}
	if p.Pull {
		flags = append(flags, Flag{"--pull of " + file, abi.OptionPull})
	}
	return flags
}

// checkPlanned refuses another module than the plan's.
func (s *Session) checkPlanned(digest string) error {
	if s.held == nil || digest == s.wanted {
		return nil
	}
	return &PlanError{s.held.Name, fmt.Sprintf("it was made with another module of provider %s: sha256 %s, now %s", s.config.Provider, s.wanted, digest), "plan again", true}
}
