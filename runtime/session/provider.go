package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	message "github.com/stagecraft-dev/stagecraft/hostfuncs/log"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

// moduleProvider is a module that was found; it is read, compiled and run when it is
// called.
type moduleProvider struct {
	session *Session
	source  provider.Source
	digest  string // of the module that was read last, in hex
	built   *builtImage
}

// ID is the ID by which the module was found.
func (p *moduleProvider) ID() string { return p.source.ID }

// Dev implements [backend.Provider]. The configuration is the session's own: how the
// provider wants it is known once it is loaded.
func (p *moduleProvider) Dev(ctx context.Context, opts backend.DevOptions) error {
	return p.session.run(ctx, call{provider: p, operation: abi.ExportDev, make: func(ctx context.Context, g *backend.Guest) error {
		opts.Config = p.session.part(g)
		return g.Dev(ctx, opts)
	}})
}

// BuildDocker implements [backend.Provider], as Dev does.
func (p *moduleProvider) BuildDocker(ctx context.Context, opts backend.BuildDockerOptions) (string, error) {
	var reference string
	err := p.session.run(ctx, call{provider: p, operation: abi.ExportBuildDocker, tag: opts.ImageTag, make: func(ctx context.Context, g *backend.Guest) (err error) {
		opts.Config = p.session.part(g)
		reference, err = g.BuildDocker(ctx, p.session.divided.fill(opts))
		return err
	}})
	return reference, err
}

// ProviderError says which provider failed at what.
type ProviderError struct {
	Provider  string
	Operation string
	Err       error
	// Confined are the policies that the provider's commands were confined by.
	Confined []string
	// Refused says what is known of what was refused to those that failed, a line
	// each.
	Refused []string
}

func (e *ProviderError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Provider, e.Operation, e.Err)
}

// Unwrap gives what went wrong.
func (e *ProviderError) Unwrap() error { return e.Err }

// call is one call of a provider's export.
type call struct {
	provider  *moduleProvider
	operation string
	tag       string
	make      func(context.Context, *backend.Guest) error
}

// run makes one call of a provider, and records it.
func (s *Session) run(ctx context.Context, c call) (err error) {
	m, err := c.provider.source.Read()
	if err != nil {
		return &ProviderError{Provider: c.provider.ID(), Operation: c.operation, Err: err}
	}
	c.provider.digest = m.Digest()
	s.invocation = newInvocation()
	defer func() { s.invocation.ended = time.Now() }()
	held, err := s.confinement(c)
	if err != nil {
		return err
	}
	defer func() {
		// What a command left takes nothing from a run that worked.
		if err := held.Close(); err != nil {
			s.opts.Reporter.Warn(err)
		}
	}()
	log, err := s.startAudit(ctx, c, m, held)
	if err != nil {
		return err
	}
	rec := &recorder{reporter: s.opts.Reporter, audit: log, learning: s.learning}
	err = errors.Join(s.runModule(ctx, c, m, held, rec), s.learning.watched(m.ID, held))
	if s.held != nil && err == nil && s.held.Left() > 0 {
		err = fmt.Errorf("%s: the run is over, and %d steps of the plan did not come", s.held.Name, s.held.Left())
	}
	return s.finish(ctx, log, err)
}

// runModule loads a module, puts the gate before it and makes the call.
func (s *Session) runModule(ctx context.Context, c call, m provider.Module, held *exec.Confinement, rec *recorder) error {
	d := &door{ctx: ctx}
	l, err := s.admitted(ctx, c, m, held, d)
	if err != nil {
		return err
	}
	defer l.close()
	if s.divided, err = s.divide(c, l); err != nil {
		return err
	}
	if held.Confined() {
		s.opts.Reporter.Confined(held.String())
	}
	gate, runner, err := s.gate(l, c, held, rec)
	if err != nil {
		return &ProviderError{Provider: m.ID, Operation: c.operation, Err: err}
	}
	// Ends also what a provider started that was stopped itself.
	defer runner.Close()
	d.gate = gate
	s.warnUnexpanded(l.guest.Describe())
	s.tellWithheld(c, runner)
	hard, stop := hardContext(ctx)
	defer stop()
	err = c.make(hard, l.guest)
	c.provider.built = rec.built
	if !l.calls.Loaded() {
		s.opts.Reporter.Log(m.ID, abi.LevelDebug, "the same as in an earlier run: its module was not loaded")
	}
	if err != nil {
		err = &ProviderError{m.ID, c.operation, s.located(s.optionError(err)), held.Policies(), held.Refused(m.ID)}
	}
	if len(rec.denials) > 0 && s.planning == nil {
		return &DeniedError{Denials: rec.denials, Count: rec.denied, Err: err}
	}
	if err == nil {
		err = s.checkCarriedOut(s.divided, rec.work)
	}
	return err
}

// admitted loads a module once all is known that is known without it.
func (s *Session) admitted(ctx context.Context, c call, read provider.Module, held *exec.Confinement, d *door) (*loaded, error) {
	m, err := see(read)
	if err != nil {
		return nil, &ProviderError{Provider: read.ID, Operation: c.operation, Err: err}
	}
	ask, err := s.admit(m, held)
	if err := errors.Join(s.checkPlanned(m.Digest()), err); err != nil {
		return nil, err
	}
	if ask {
		if err := s.mayLoad(m); err != nil {
			return nil, err
		}
	}
	l, err := load(ctx, m, d, s.opts, s.known(c))
	if err != nil {
		return nil, &ProviderError{Provider: m.ID, Operation: c.operation, Err: err}
	}
	if ask {
		err = s.confirmed(ctx, l)
	} else {
		err = s.checkEntry(l)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// confinement restricts the commands of a call. What they need is learned without
// the project's policy, as the rest is.
func (s *Session) confinement(c call) (*exec.Confinement, error) {
	policies := s.files()
	if s.learning != nil && s.learning.Allow {
		policies = s.ceilings
	}
	id := c.provider.ID()
	opts := exec.ConfinementOptions{
		Project: files.NewProject(s.config.Root), Environ: s.opts.Environ, Passed: capability.PassedEnv(policies, id, s.opts.Environ),
		Policies: capability.Confine(policies, id), Limits: capability.LimitsOf(policies, id), Watch: s.learning != nil,
	}
	if c.operation == abi.ExportDev {
		opts.Replaced = s.opts.Reporter.Warn
	}
	return exec.NewConfinement(opts)
}

// builds are the user's options for image builds.
func (s *Session) builds() build.Options {
	o := s.divided.host
	o.Progress = s.opts.Reporter.Progress()
	return o
}

// log shows what a provider says. In a plan nothing of it is so, but for its
// warnings, once an effect was withheld from it.
func (s *Session) log(provider string, level abi.Level, message string) {
	if s.planning != nil && len(s.planning.Steps) > 0 && level == abi.LevelInfo {
		level = abi.LevelDebug
	}
	s.opts.Reporter.Log(provider, level, message)
}

// gate makes the gate for one call of a provider, and the runner of its commands,
// which has to be closed.
func (s *Session) gate(l *loaded, c call, confinement *exec.Confinement, auditor hostfuncs.Auditor) (*hostfuncs.Gate, *exec.Runner, error) {
	project := files.NewProject(s.config.Root)
	log := func(level abi.Level, message string) { s.log(l.ID, level, message) }
	env := values.New(values.Options{Project: project, Environ: s.opts.Environ, Mask: s.opts.Mask, Log: log, Warn: s.opts.Reporter.Warn})
	images := build.New(build.Config{
		Project: project, Env: env, Options: s.builds(), Own: s.own(), Mask: s.opts.Mask, Log: log, Warn: s.opts.Reporter.Warn,
	})
	layers, err := s.layers(l, images, project, env, c.tag)
	if err != nil {
		return nil, nil, err
	}
	_, granted := s.asks(l)
	runner := exec.NewRunner(exec.Options{
		Project: project, Env: env, Provider: l.ID, InputsDir: s.opts.InputsDir, Confinement: confinement,
		ChildEnv: confinement.Environ(capability.PassedEnv(layers, l.ID, s.opts.Environ)), Asked: granted,
		// What is learned is compared with rules that pin a program, of a policy that may
		// not be among the layers.
		Pins:   func(x *capability.Exec) bool { return s.learning != nil || capability.Pins(layers, l.ID, x) },
		Stdout: s.opts.Stdout, Stderr: s.opts.Stderr, Colour: s.opts.Colour, Mask: s.opts.Mask, Warn: s.opts.Reporter.Warn,
		Serves: c.operation == abi.ExportDev, Grace: Grace,
	})
	gate, err := hostfuncs.NewGate(hostfuncs.GateOptions{
		Provider: l.ID, Policies: layers, Auditor: auditor, Mask: s.opts.Mask, Plan: s.planning, Planned: s.held,
		Operations: slices.Concat(runner.Operations(), images.Operations(), project.Operations(), env.Operations(), []hostfuncs.Operation{message.Operation(log)}),
	})
	return gate, runner, err
}

// tellWithheld warns of variables that the commands of a run should get, and that
// no policy passes on: what fails for want of them doesn't say so itself.
func (s *Session) tellWithheld(c call, runner *exec.Runner) {
	if names := runner.Withheld(); len(names) > 0 && c.operation != abi.ExportValidate {
		s.opts.Reporter.Warn(fmt.Errorf("%s asks for %s, which the policies do not pass to commands\nto pass them, add to env.pass in %s: [%s]",
			c.provider.ID(), strings.Join(names, ", "), PolicyFile, strings.Join(names, ", ")))
	}
}

// own are the files of this run, as a build's context would name them. One in a
// directory that isn't there is in no context.
func (s *Session) own() []string {
	var own []string
	// A home directory can be a project.
	files := append([]string{s.opts.Audit, s.opts.AuditHeads, s.opts.CacheDir, s.opts.InputsDir}, s.opts.Own...)
	for _, output := range s.opts.Builds.Outputs {
		files = append(files, output.Path)
	}
	for _, file := range files {
		abs, err := filepath.Abs(file)
		if file == "" || err != nil {
			continue
		}
		if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
			own = append(own, filepath.Join(dir, filepath.Base(abs)))
		}
	}
	return own
}

// located gives each problem that a provider found in its configuration the
// place in the file.
func (s *Session) located(err error) error {
	e, ok := errors.AsType[*abi.Error](err)
	if !ok || len(e.Problems) == 0 {
		return err
	}
	return s.problems(e.Problems).Err()
}

// problems are a provider's, as those of the file.
func (s *Session) problems(found []abi.Problem) yamldoc.Problems {
	var problems yamldoc.Problems
	for _, p := range found {
		field := "backend.providers." + s.config.Provider
		if name := abi.FieldName(p.Pointer); name != "" {
			field += "." + name
		}
		where := s.config.Position(p.Pointer)
		if p.Key {
			where = s.config.KeyPosition(p.Pointer)
		}
		problems.Add(where, field, p.Message, p.Hint)
	}
	return problems
}
