package session

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

// Locked is a project's lock file, to look at and to change.
type Locked struct {
	// Root is the project directory.
	Root string

	file *lock.File
	opts Options
}

// OpenLock reads the lock file of the project that a session would be of. The
// configuration itself may be wrong.
func OpenLock(opts Options) (*Locked, error) {
	found, err := findConfig(opts)
	if err != nil {
		return nil, err
	}
	root, err := filepath.EvalSymlinks(filepath.Dir(found.File))
	if err != nil {
		return nil, err
	}
	f, err := loadLock(root)
	if err != nil {
		return nil, err
	}
	return &Locked{Root: root, file: f, opts: opts}, nil
}

// Review says what one would agree to. Unless it was loaded, it can't be agreed
// to.
//
// # Errors
//
// A [*RefusedError] where a ceiling wants another module.
func (l *Locked) Review(ctx context.Context, source provider.Source) (Review, error) {
	if source.Origin == provider.BuiltIn {
		return Review{}, fmt.Errorf("provider %s is built in: it is trusted with stagecraft itself", source.ID)
	}
	r, err := l.review(ctx, source, true)
	if err == nil && r.Found.Refused != nil {
		err = r.Found.Refused
	}
	return r, err
}

// Compare says how a module differs from the one that is trusted.
func (l *Locked) Compare(ctx context.Context, source provider.Source) (Review, error) {
	return l.review(ctx, source, false)
}

func (l *Locked) review(ctx context.Context, source provider.Source, trusting bool) (Review, error) {
	found, err := l.inspect(ctx, source, trusting)
	if err != nil {
		return Review{}, err
	}
	r := Review{Entry: newEntry(l.Root, found), Found: found}
	if !found.Loaded {
		r.Entry.ID = idOf(source)
	}
	before, ok := l.file.Get(r.Entry.ID)
	if !ok {
		return r, nil
	}
	r.Before = &before
	if !found.Loaded {
		r.Entry.Version, r.Entry.ABI, r.Entry.Asked, r.Entry.Granted = before.Version, before.ABI, before.Asked, before.Granted
	}
	return r, nil
}

// Trust notes that someone agreed.
func (l *Locked) Trust(ctx context.Context, r Review) (err error) {
	l.file, err = trust(patience{ctx, l.opts.Reporter.Warn}, l.Root, r.Entry)
	return err
}

// Untrust takes a provider out of the file, and tells whether it was there.
func (l *Locked) Untrust(ctx context.Context, id string) (found bool, err error) {
	if _, known := l.file.Get(id); !known {
		return false, nil
	}
	l.file, err = changeLock(patience{ctx, l.opts.Reporter.Warn}, l.Root, func(f *lock.File) { f.Remove(id) })
	return true, err
}
