package session

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// Inspection describes a module that is given nothing to do.
type Inspection struct {
	Source provider.Source
	Digest string // SHA-256 of the module, in hex
	Size   int    // bytes
	Info   sandbox.Info
	// Loaded is set if the module was loaded and described itself in About.
	Loaded bool
	About  abi.Description
	// Refused is set if ceilings refuse an untrusted module, which is not loaded then.
	Refused *RefusedError
}

// examine checks that a module can run here, and describes it by its bytes.
func examine(m provider.Module) (Inspection, error) {
	wasm, err := m.Bytes()
	if err != nil {
		return Inspection{}, err
	}
	info, err := sandbox.Check(wasm, abi.Operations())
	if err != nil {
		return Inspection{}, unusable(m.Source, err)
	}
	return Inspection{Source: m.Source, Digest: m.Digest(), Size: len(wasm), Info: info}, nil
}

// inspection describes a module by its bytes and by its own description.
func (l *loaded) inspection() (Inspection, error) {
	found, err := examine(l.Module)
	found.Loaded, found.About = true, l.guest.Describe()
	return found, err
}

// Inspect describes a module. A module that is built in or in the project's lock file
// is loaded, without a gate; another one is loaded if opts.MayLoad agrees.
//
// # Errors
//
// A [*RefusedError] if a ceiling refuses a trusted module.
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

// inspect is [Inspect] in a project. With trusting, the module counts as one in the
// lock file: it is going to be.
func (l *Locked) inspect(ctx context.Context, source provider.Source, trusting bool) (Inspection, error) {
	m, err := source.Read()
	if err != nil {
		return Inspection{}, err
	}
	found, err := examine(m)
	if err != nil {
		return Inspection{}, err
	}
	ceilings, err := ReadCeilings(l.opts, l.Root)
	if err != nil {
		return Inspection{}, err
	}
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

// described loads a module. Ceilings are asked again with the ID that the module gives
// itself, which the file's name need not be.
func (l *Locked) described(ctx context.Context, m provider.Module, ceilings []*capability.Policy, run capability.Run) (Inspection, error) {
	loaded, err := load(ctx, m, &lateGate{ctx: ctx}, l.opts, "", nil)
	if err != nil {
		return Inspection{}, err
	}
	defer loaded.close()
	run.Provider = loaded.guest.ID()
	if refusals := capability.AdmitModule(ceilings, run); len(refusals) > 0 {
		return Inspection{}, &RefusedError{refusals}
	}
	return loaded.inspection()
}

// idOf is the ID by which a module was found, or else the name of its file, made safe
// to show.
func idOf(source provider.Source) string {
	if source.ID != "" {
		return source.ID
	}
	return termtext.Mark(termtext.Line(strings.TrimSuffix(filepath.Base(source.Path), provider.Extension), 100))
}

// Providers lists the usable providers, sorted by ID. It needs no configuration.
func Providers(opts Options) ([]provider.Source, error) {
	dir := opts.Dir
	if found, err := findConfig(opts); err == nil {
		dir = filepath.Dir(found.File)
	}
	sources, unusable, err := findProviders(opts, dir)
	for _, problem := range unusable {
		opts.Reporter.Warn(problem)
	}
	return sources, err
}
