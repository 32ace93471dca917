package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/module"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

// provider is a module that was found; it is read, compiled and run when it is
// called.
type provider struct {
	session *Session
	source  module.Source
	built   *abi.DockerBuildResult
}

// ID is the ID by which the module was found.
func (p *provider) ID() string { return p.source.ID }

// Dev implements [backend.Provider].
func (p *provider) Dev(ctx context.Context, opts backend.DevOptions) error {
	return p.session.run(ctx, p, abi.ExportDev, "", func(ctx context.Context, g *backend.Guest) error {
		return g.Dev(ctx, opts)
	})
}

// BuildDocker implements [backend.Provider].
func (p *provider) BuildDocker(ctx context.Context, opts backend.BuildDockerOptions) (string, error) {
	var reference string
	err := p.session.run(ctx, p, abi.ExportBuildDocker, opts.ImageTag, func(ctx context.Context, g *backend.Guest) (err error) {
		reference, err = g.BuildDocker(ctx, opts)
		return err
	})
	return reference, err
}

// ProviderError says which provider failed at what.
type ProviderError struct {
	Provider  string
	Operation string
	Err       error
}

func (e *ProviderError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Provider, e.Operation, e.Err)
}

// Unwrap gives what went wrong.
func (e *ProviderError) Unwrap() error { return e.Err }

// DeniedError says that a policy refused calls of the provider's, whatever the
// provider made of that.
type DeniedError struct {
	// Denials are the first of those that differ in what they asked for.
	Denials []hostfuncs.Record
	// Count is how often the provider was refused.
	Count int
	// Err is how the provider ended, nil when it went on as if nothing was.
	Err error
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("%d calls denied by policy", e.Count)
}

// Unwrap gives the provider's own error.
func (e *DeniedError) Unwrap() error { return e.Err }

// run loads a provider, puts the gate before it and makes one call.
func (s *Session) run(ctx context.Context, p *provider, operation, tag string, call func(context.Context, *backend.Guest) error) error {
	d := &door{ctx: ctx}
	loaded, err := load(ctx, p.source, d, s.opts)
	if err != nil {
		return &ProviderError{p.ID(), operation, err}
	}
	defer loaded.close()
	log := &recorder{reporter: s.opts.Reporter}
	if d.gate, err = s.gate(p, loaded.guest.Describe(), tag, log); err != nil {
		return &ProviderError{p.ID(), operation, err}
	}
	hard, stop := hardContext(ctx)
	defer stop()
	err = call(hard, loaded.guest)
	p.built = log.built
	if err != nil {
		err = &ProviderError{p.ID(), operation, s.located(err)}
	}
	if len(log.denials) > 0 {
		return &DeniedError{Denials: log.denials, Count: log.denied, Err: err}
	}
	return err
}

// gate makes the door for one call of a provider.
func (s *Session) gate(p *provider, about abi.Description, tag string, log *recorder) (*hostfuncs.Gate, error) {
	world := &hostfuncs.World{
		Root: s.config.Root, Environ: s.opts.Environ, Grace: Grace,
		Stdout: s.opts.Stdout, Stderr: s.opts.Stderr, Progress: s.opts.Reporter.Progress(),
		Log: func(level abi.Level, message string) { s.opts.Reporter.Log(p.ID(), level, message) },
	}
	policies := s.policies
	if len(policies) == 0 && p.source.Origin == module.BuiltIn {
		policy, err := world.DefaultPolicy(hostfuncs.Defaults{
			Provider: about, Config: s.config.Part(), Position: s.config.Position, Tag: tag, Env: s.opts.Env,
		})
		if err != nil {
			return nil, err
		}
		policies = []*capability.Policy{policy}
	}
	world.ChildEnv = capability.PassedEnv(policies, p.ID(), s.opts.Environ)
	ops, err := world.Operations()
	if err != nil {
		return nil, err
	}
	return hostfuncs.NewGate(p.ID(), policies, ops, log)
}

// loaded is a module that is ready to be called.
type loaded struct {
	module.Module
	sandbox *sandbox.Module
	guest   *backend.Guest
}

func load(ctx context.Context, source module.Source, host sandbox.Host, opts Options) (*loaded, error) {
	m, err := source.Read()
	if err != nil {
		return nil, err
	}
	box, err := sandbox.Open(ctx, m.Bytes, sandbox.Options{
		Operations: abi.Operations(), Host: host, Limits: opts.Limits,
		CacheDir: opts.CacheDir, Warn: opts.Reporter.Warn,
	})
	if err != nil {
		return nil, unusable(source, err)
	}
	guest, err := backend.NewGuest(ctx, box)
	if err == nil && source.ID != "" && guest.ID() != source.ID {
		err = &backend.ContractError{Export: abi.ExportDescribe, Reason: fmt.Sprintf(
			"it calls itself %q, but was found as %q: the file's name should be %s%s", guest.ID(), source.ID, guest.ID(), module.Extension)}
	}
	if err != nil {
		return nil, errors.Join(unusable(source, err), box.Close(ctx))
	}
	return &loaded{m, box, guest}, nil
}

// unusable names the file in an error that concerns it; a limit or a crash
// concerns the provider.
func unusable(source module.Source, err error) error {
	if e, ok := errors.AsType[*sandbox.LoadError](err); ok {
		return &module.UnusableError{ID: source.ID, Path: source.Path, Reason: e.Reason}
	}
	if e, ok := errors.AsType[*backend.ContractError](err); ok {
		return &module.UnusableError{ID: source.ID, Path: source.Path, Reason: e.Error()}
	}
	return err
}

func (l *loaded) close() {
	// What a failed close leaves goes with the process.
	_ = l.sandbox.Close(context.Background())
}

// door is the way from a module to its gate. Until there is one, while the
// module starts and describes itself, nothing can be asked for.
type door struct {
	// ctx is the run's own: it ends at an interrupt, and what runs for the
	// provider with it, while the provider itself has the grace period to hear
	// of that.
	ctx  context.Context
	gate *hostfuncs.Gate
}

// Call implements [sandbox.Host].
func (d *door) Call(_ context.Context, operation string, request []byte) []byte {
	if d.gate == nil {
		return []byte(`{"error":{"code":"invalid","message":"nothing can be asked for before dev, build_docker or validate"}}`)
	}
	return d.gate.Call(d.ctx, operation, request)
}

// stopAfter is how long a provider has, after what it started has ended, to
// return from an interrupted call.
const stopAfter = 5 * time.Second

// hardContext outlives ctx by the time that an interrupted provider has.
func hardContext(ctx context.Context) (context.Context, context.CancelFunc) {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var timer *time.Timer
	ready := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		timer = time.AfterFunc(Grace+stopAfter, func() { cancel(context.Cause(ctx)) })
		close(ready)
	})
	return hard, func() {
		if !stop() {
			<-ready
			timer.Stop()
		}
		cancel(nil)
	}
}

// recorder keeps what decides the run's outcome, and shows the rest.
type recorder struct {
	reporter Reporter
	denials  []hostfuncs.Record
	denied   int
	seen     map[string]bool
	built    *abi.DockerBuildResult
}

// maxDenials bounds what is kept of a provider that asks again and again.
const maxDenials = 50

// Decided implements [hostfuncs.Auditor].
func (r *recorder) Decided(rec *hostfuncs.Record) {
	if !rec.Denied() {
		return
	}
	r.denied++
	asked := rec.Claim.String()
	if r.seen[asked] || len(r.denials) == maxDenials {
		return
	}
	if r.seen == nil {
		r.seen = make(map[string]bool)
	}
	r.seen[asked] = true
	r.denials = append(r.denials, *rec)
}

// Done implements [hostfuncs.Auditor].
func (r *recorder) Done(rec *hostfuncs.Record) {
	if built, ok := rec.Result.(abi.DockerBuildResult); ok && rec.Error == nil {
		r.built = &built
	}
	r.reporter.Call(rec)
}

// Grants merges what all denials lack, for one policy that would allow them.
func (e *DeniedError) Grants() []capability.Grant {
	var grants []capability.Grant
	for _, d := range e.Denials {
		for _, g := range d.Decision.Missing {
			if !slices.Contains(grants, g) {
				grants = append(grants, g)
			}
		}
	}
	return grants
}

// located gives each problem that a provider found in its configuration the
// place in the file.
func (s *Session) located(err error) error {
	e, ok := errors.AsType[*abi.Error](err)
	if !ok || len(e.Problems) == 0 {
		return err
	}
	var problems yamldoc.Problems
	for _, p := range e.Problems {
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
	return problems.Err()
}
