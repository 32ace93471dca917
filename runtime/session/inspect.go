package session

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// Inspection is what can be known of a provider without giving it anything.
type Inspection struct {
	Source provider.Source
	Digest string // SHA-256 of the module, in hex
	Size   int    // bytes
	Info   sandbox.Info
	// Loaded tells whether the module was loaded, and described itself in About.
	Loaded bool
	About  abi.Description
	// Refused is why a module that nobody has trusted is not to be loaded here,
	// nil where no ceiling says so.
	Refused *RefusedError
}

// inspection is what a module's bytes show.
func (m seen) inspection() Inspection {
	return Inspection{Source: m.Source, Digest: m.Digest(), Size: len(m.Bytes), Info: m.Info}
}

// inspection is what a module's bytes show, and what it says of itself.
func (l *loaded) inspection() Inspection {
	found := l.seen.inspection()
	found.Loaded, found.About = true, l.guest.Describe()
	return found
}

// Inspect tells what can be known of a module. One that is built in or that the
// project's lock file has is loaded, with no gate behind it, and describes
// itself; so is another one if opts.MayLoad agrees.
//
// # Errors
//
// A [*RefusedError] where a ceiling refuses a trusted module.
func Inspect(ctx context.Context, source provider.Source, opts Options) (Inspection, error) {
	l := &Locked{file: new(lock.File), opts: opts}
	if source.Origin != provider.BuiltIn {
		opened, err := OpenLock(opts)
		if _, none := errors.AsType[*config.NotFoundError](err); err != nil && !none {
			return Inspection{}, err
		}
		if err == nil {
			l = opened
		}
	}
	return l.inspect(ctx, source, false)
}

// inspect is [Inspect] in a project. The one whom a module is shown to in order
// to be trusted is about to meet what a ceiling requires of the lock file.
func (l *Locked) inspect(ctx context.Context, source provider.Source, trusting bool) (Inspection, error) {
	m, err := readSeen(source)
	if err != nil {
		return Inspection{}, err
	}
	ceilings, err := ReadCeilings(l.opts, l.Root)
	if err != nil {
		return Inspection{}, err
	}
	found := m.inspection()
	run := capability.Run{
		Provider: idOf(source), SHA256: found.Digest, BuiltIn: source.Origin == provider.BuiltIn,
		Locked: trusting || l.file.Trusts(found.Digest),
	}
	refusals := capability.AdmitModule(ceilings, run)
	trusted := run.BuiltIn || l.file.Trusts(found.Digest)
	switch {
	case len(refusals) > 0 && trusted:
		return Inspection{}, &RefusedError{refusals}
	case len(refusals) > 0:
		found.Refused = &RefusedError{refusals}
		return found, nil
	case !trusted && l.opts.MayLoad == nil:
		return found, nil
	case !trusted:
		if agreed, err := l.opts.MayLoad(found); err != nil || !agreed {
			return found, err
		}
	}
	return l.described(ctx, m, ceilings, run)
}

// described loads a module. The name of a file need not be the ID that the
// module in it gives itself, and ceilings name modules by that.
func (l *Locked) described(ctx context.Context, m seen, ceilings []*capability.Policy, run capability.Run) (Inspection, error) {
	loaded, err := load(ctx, m, &lateGate{ctx: ctx}, l.opts, "")
	if err != nil {
		return Inspection{}, err
	}
	defer loaded.close()
	run.Provider = loaded.guest.ID()
	if refusals := capability.AdmitModule(ceilings, run); len(refusals) > 0 {
		return Inspection{}, &RefusedError{refusals}
	}
	return loaded.inspection(), nil
}

// idOf is the ID by which a module was found; a file that was named should have
// it as its name. What is no ID is no provider's that a policy or a lock file
// names, and is shown in messages alone.
func idOf(source provider.Source) string {
	if source.ID != "" {
		return source.ID
	}
	return termtext.Mark(termtext.Line(strings.TrimSuffix(filepath.Base(source.Path), provider.Extension), 100))
}

// Providers lists what can be used where a session would open: with no
// configuration there, what can be used without one.
func Providers(opts Options) ([]provider.Source, error) {
	s := &Session{opts: opts, registry: new(backend.Registry[found])}
	dir := opts.Dir
	if found, err := findConfig(opts); err == nil {
		dir = filepath.Dir(found.File)
	}
	unusable, err := s.register(dir)
	if err != nil {
		return nil, err
	}
	for _, problem := range unusable {
		opts.Reporter.Warn(problem)
	}
	var sources []provider.Source
	for _, id := range s.registry.IDs() {
		if p, ok := s.registry.Get(id); ok {
			sources = append(sources, p.source)
		}
	}
	return sources, nil
}
