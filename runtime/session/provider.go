package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/module"
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
