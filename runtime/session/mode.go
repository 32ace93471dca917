package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// mode says how a run treats its provider's calls: live, planMode, plannedMode or
// learnMode. A run has exactly one.
type mode interface {
	// admit refuses another module than the planned one.
	admit(*run) error
	// gate sets the mode's options of the gate.
	gate(*hostfuncs.GateOptions)
	// note is called with each finished call.
	note(*hostfuncs.Record)
	// end gets the error of the call after all commands have ended, and returns
	// the error of the run.
	end(*run, error) error
	// preview returns the withheld effects; nil if effects happen.
	preview() *hostfuncs.Plan
	// learns reports whether a policy is learnt from the run, and whether the
	// project's policy is replaced by one that allows everything.
	learns() (learns, allow bool)
	// describe adds the mode's inputs to the provenance of an image.
	describe(*provenance.Build, *Session)
}

// live carries out what the policies allow. The other modes embed it.
type live struct{}

func (live) admit(*run) error                     { return nil }
func (live) gate(*hostfuncs.GateOptions)          {}
func (live) note(*hostfuncs.Record)               {}
func (live) end(_ *run, err error) error          { return err }
func (live) preview() *hostfuncs.Plan             { return nil }
func (live) learns() (learns, allow bool)         { return false, false }
func (live) describe(*provenance.Build, *Session) {}

// planMode withholds all effects and lists them.
type planMode struct {
	live
	withheld hostfuncs.Plan
}

func (p *planMode) gate(o *hostfuncs.GateOptions) { o.Plan = &p.withheld }

func (p *planMode) preview() *hostfuncs.Plan { return &p.withheld }

// plannedMode carries out only the effects of a plan, in their order.
type plannedMode struct {
	live
	plan  *Plan
	steps *hostfuncs.Planned // with the plan's file as its name
}

func (p *plannedMode) admit(r *run) error {
	wanted, got := p.plan.Provider.SHA256, r.module.Digest()
	if got == wanted {
		return nil
	}
	return &PlanError{p.steps.Name, fmt.Sprintf("made with another module of provider %s: sha256 %s, now %s", r.module.ID, wanted, got), "plan again", true}
}

func (p *plannedMode) gate(o *hostfuncs.GateOptions) { o.Planned = p.steps }

func (p *plannedMode) end(_ *run, err error) error {
	if left := p.steps.Left(); err == nil && left > 0 {
		return fmt.Errorf("%s: the run ended before it reached all steps of the plan: %d left", p.steps.Name, left)
	}
	return err
}

func (p *plannedMode) describe(b *provenance.Build, s *Session) {
	b.Internal.Plan = &provenance.File{Name: s.publicName(p.steps.Name), SHA256: p.plan.digest}
	b.Contexts = p.plan.contexts()
}

// learnMode collects what a run was allowed and what its commands used. Commands get
// the environment that they get under a policy, so a missing variable is noticed now.
type learnMode struct {
	live
	// allow replaces the project's policy by one that allows everything. What the
	// provider asks for and the ceilings still restrict the run.
	allow  bool
	learnt Learnt
}

// Learnt is what a run was allowed, and what its commands used, by provider ID.
type Learnt struct {
	Claims []capability.Claim
	Used   map[string]capability.Used
}

// maxClaims bounds the memory of a run; nobody reads a policy with more rules.
const maxClaims = 100_000

func (l *learnMode) note(rec *hostfuncs.Record) {
	if rec.Decided && !rec.Denied() && len(l.learnt.Claims) < maxClaims {
		l.learnt.Claims = append(l.learnt.Claims, rec.Claim)
	}
}

func (l *learnMode) end(r *run, err error) error {
	used, uerr := r.confinement.Used()
	l.learnt.Used[r.module.ID] = used
	return errors.Join(err, uerr)
}

func (l *learnMode) learns() (learns, allow bool) { return true, l.allow }

// Learn runs a command and returns what it was allowed, even if it failed. With allow,
// a policy that allows everything replaces the project's.
func (s *Session) Learn(ctx context.Context, command string, opts BuildOptions, allow bool) (Learnt, error) {
	m := &learnMode{allow: allow, learnt: Learnt{Used: make(map[string]capability.Used)}}
	_, err := s.command(ctx, m, command, opts)
	return m.learnt, err
}

// command runs dev or build in a mode.
func (s *Session) command(ctx context.Context, m mode, name string, opts BuildOptions) (finished, error) {
	if name == CommandDev {
		return s.run(ctx, m, s.devCall())
	}
	var reference string
	return s.run(ctx, m, s.buildCall(opts, s.builds, &reference))
}
