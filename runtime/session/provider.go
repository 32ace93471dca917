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
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
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
	// Confined are the policies that confined a command of the provider which failed.
	Confined []string
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
	held, err := s.confinement(m.ID)
	if err != nil {
		return err
	}
	defer func() {
		// What a command left takes nothing from a run that worked.
		if err := held.Close(); err != nil {
			s.opts.Reporter.Warn(err)
		}
	}()
	if err := s.learning.watch(held); err != nil {
		return err
	}
	log, err := s.startAudit(ctx, c, m, held)
	if err != nil {
		return err
	}
	rec := &recorder{reporter: s.opts.Reporter, audit: log, learning: s.learning}
	err = errors.Join(s.runModule(ctx, c, m, held, rec), s.learning.watched(m.ID, held))
	for _, p := range hostfuncs.Stayed() {
		s.opts.Reporter.Log(m.ID, abi.LevelInfo, fmt.Sprintf("left running: %s (process %d)", strings.Join(yamldoc.Words(p.Argv), " "), p.PID))
	}
	if s.held != nil && err == nil && s.held.Left() > 0 {
		err = fmt.Errorf("%s: the run is over, and %d steps of the plan did not come", s.held.Name, s.held.Left())
	}
	return s.finish(ctx, log, err)
}

// runModule loads a module, puts the gate before it and makes the call.
func (s *Session) runModule(ctx context.Context, c call, m provider.Module, held *hostfuncs.Confinement, rec *recorder) error {
	d := &door{ctx: ctx}
	l, err := s.admitted(ctx, c, m, held, d)
	if err != nil {
		return err
	}
	defer l.close()
	if s.divided, err = s.divide(c, l); err != nil {
		return err
	}
	world := s.world(l)
	world.Confinement = held
	if held.Confined() {
		s.opts.Reporter.Confined(held.String())
	}
	if world.Serves = c.operation == abi.ExportDev; world.Serves {
		held.Notice(s.opts.Reporter.Warn)
	}
	// Also what a provider started that was stopped itself.
	defer world.Close()
	if d.gate, err = s.gate(l, world, c.tag, rec); err != nil {
		return &ProviderError{Provider: m.ID, Operation: c.operation, Err: err}
	}
	s.warnUnexpanded(l.guest.Describe())
	s.tellWithheld(c, world)
	s.tellDaemons(c, l, world)
	hard, stop := hardContext(ctx)
	defer stop()
	err = c.make(hard, l.guest)
	c.provider.built = rec.built
	if !l.calls.Loaded() {
		s.opts.Reporter.Log(m.ID, abi.LevelDebug, "the same as in an earlier run: its module was not loaded")
	}
	if err != nil {
		err = &ProviderError{m.ID, c.operation, s.located(s.optionError(err)), held.FailedUnder()}
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
func (s *Session) admitted(ctx context.Context, c call, read provider.Module, held *hostfuncs.Confinement, d *door) (*loaded, error) {
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

// confinement is what the commands of a provider are held to. What they need is
// learnt without the project's policy, as the rest is.
func (s *Session) confinement(provider string) (*hostfuncs.Confinement, error) {
	policies := s.files()
	if s.learning != nil && s.learning.Allow {
		policies = s.ceilings
	}
	return hostfuncs.NewConfinement(s.config.Root, s.opts.Environ, capability.PassedEnv(policies, provider, s.opts.Environ),
		capability.Confine(policies, provider), capability.LimitsOf(policies, provider))
}

// world is what a provider's operations act on.
func (s *Session) world(l *loaded) *hostfuncs.World {
	return &hostfuncs.World{
		Root: s.config.Root, Environ: s.opts.Environ, Grace: Grace, Own: s.own(),
		Stdout: s.opts.Stdout, Stderr: s.opts.Stderr, Colour: s.opts.Colour, Builds: s.builds(),
		Log:  func(level abi.Level, message string) { s.log(l.ID, level, message) },
		Mask: s.opts.Mask, Warn: s.opts.Reporter.Warn,
		Provider: l.ID, InputsDir: s.opts.InputsDir,
	}
}

// builds are the user's options for image builds.
func (s *Session) builds() hostfuncs.BuildOptions {
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

// gate makes the gate for one call of a provider.
func (s *Session) gate(l *loaded, world *hostfuncs.World, tag string, auditor hostfuncs.Auditor) (*hostfuncs.Gate, error) {
	layers, err := s.layers(l, world, tag)
	if err != nil {
		return nil, err
	}
	world.ChildEnv = world.Confinement.Environ(capability.PassedEnv(layers, l.ID, s.opts.Environ))
	_, granted := s.asks(l)
	world.PassOn(granted)
	world.Daemons = capability.Daemons(layers, l.ID, granted.Daemons)
	// What is learnt is compared with rules that pin a program, of a policy that may not
	// be among the layers.
	world.Pins = func(x *capability.Exec) bool { return s.learning != nil || capability.Pins(layers, l.ID, x) }
	ops, err := world.Operations()
	if err != nil {
		return nil, err
	}
	return hostfuncs.NewGate(hostfuncs.GateOptions{
		Provider: l.ID, Policies: layers, Operations: ops, Auditor: auditor, Mask: s.opts.Mask, Plan: s.planning, Held: s.held,
	})
}

// tellWithheld warns of variables that the commands of a run should get, and that
// no policy passes on: what fails for want of them doesn't say so itself.
func (s *Session) tellWithheld(c call, world *hostfuncs.World) {
	if names := world.Withheld(); len(names) > 0 && c.operation != abi.ExportValidate {
		s.opts.Reporter.Warn(fmt.Errorf("%s asks for %s, which the policies do not pass to commands\nto pass them, add to env.pass in %s: [%s]",
			c.provider.ID(), strings.Join(names, ", "), PolicyFile, strings.Join(names, ", ")))
	}
}

// tellDaemons warns of what should keep running after dev, and that no policy allows:
// it is ended with the command that started it.
func (s *Session) tellDaemons(c call, l *loaded, world *hostfuncs.World) {
	_, granted := s.asks(l)
	for _, argv := range granted.Daemons {
		if c.operation == abi.ExportDev && !slices.ContainsFunc(world.Daemons, func(d []string) bool { return slices.Equal(d, argv) }) {
			said := strings.Join(yamldoc.Words(argv), " ")
			s.opts.Reporter.Warn(fmt.Errorf("%s asks to leave %s running after the run, which the policies do not allow: it ends with the command that starts it\n"+
				"to allow it, add to daemons in %s: [%s]", l.ID, said, PolicyFile, said))
		}
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
