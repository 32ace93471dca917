package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/module"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// loaded is a module that is ready to be called.
type loaded struct {
	module.Module
	sandbox *sandbox.Module
	guest   *backend.Guest
}

// load compiles a module as it was read, and has it describe itself.
func load(ctx context.Context, m module.Module, host sandbox.Host, opts Options) (*loaded, error) {
	source := m.Source
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
