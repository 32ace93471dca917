package session

import (
	"context"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/module"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// Inspection is what can be known of a provider without giving it anything.
type Inspection struct {
	Source module.Source
	Digest string // SHA-256 of the module, in hex
	Size   int    // bytes
	Info   sandbox.Info
	About  abi.Description
}

// Inspect loads a module, with no gate behind it, and has it describe itself.
func Inspect(ctx context.Context, source module.Source, opts Options) (Inspection, error) {
	m, err := source.Read()
	if err != nil {
		return Inspection{}, err
	}
	return inspect(ctx, m, opts)
}

func inspect(ctx context.Context, m module.Module, opts Options) (Inspection, error) {
	l, err := load(ctx, m, &door{ctx: ctx}, opts, "")
	if err != nil {
		return Inspection{}, err
	}
	defer l.close()
	return l.inspection()
}

func (l *loaded) inspection() (Inspection, error) {
	info, err := sandbox.Inspect(l.Bytes)
	if err != nil {
		return Inspection{}, err
	}
	return Inspection{Source: l.Source, Digest: l.Digest(), Size: len(l.Bytes), Info: info, About: l.guest.Describe()}, nil
}

// Providers lists what can be used where a session would open: with no
// configuration there, what can be used without one.
func Providers(opts Options) ([]module.Source, error) {
	s := &Session{opts: opts, registry: new(backend.Registry)}
	dir := opts.Dir
	if file, err := findConfig(opts); err == nil {
		dir = filepath.Dir(file)
	}
	unusable, err := s.register(dir)
	if err != nil {
		return nil, err
	}
	for _, problem := range unusable {
		opts.Reporter.Warn(problem)
	}
	var sources []module.Source
	for _, id := range s.registry.IDs() {
		if p, ok := s.registry.Get(id); ok {
			sources = append(sources, p.(*provider).source)
		}
	}
	return sources, nil
}
