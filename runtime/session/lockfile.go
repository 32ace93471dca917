package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/filelock"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

// Locked is a project with its lock file.
type Locked struct {
	// Root is the project directory.
	Root string

	file *lock.File
	opts Options
}

// OpenLock reads the lock file of the project that [Open] would use. The
// configuration itself may be invalid.
func OpenLock(opts Options) (*Locked, error) {
	root, err := ProjectRoot(opts)
	if err != nil {
		return nil, err
	}
	f, err := loadLock(root)
	if err != nil {
		return nil, err
	}
	return &Locked{Root: root, file: f, opts: opts}, nil
}

// IDs are the trusted providers, sorted.
func (l *Locked) IDs() []string { return l.file.IDs() }

// Review describes a module for a user who decides whether to trust it. A module
// that was not loaded cannot be trusted.
//
// # Errors
//
// A [*RefusedError] if a ceiling requires another module.
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

// Compare describes a module together with the trusted one.
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

// Trust records that the user trusts a reviewed module.
func (l *Locked) Trust(ctx context.Context, r Review) (err error) {
	l.file, err = trust(ctx, l.opts.Reporter.Warn, l.Root, r.Entry)
	return err
}

// Untrust removes a provider from the file, and reports whether the file had it.
func (l *Locked) Untrust(ctx context.Context, id string) (found bool, err error) {
	if _, known := l.file.Get(id); !known {
		return false, nil
	}
	l.file, err = changeLock(ctx, l.opts.Reporter.Warn, l.Root, func(f *lock.File) { f.Remove(id) })
	return true, err
}

// newEntry is the entry for a module, with everything granted that it asks for.
func newEntry(root string, found Inspection) lock.Entry {
	e := lock.Entry{
		ID: found.About.ID, Version: found.About.Version, SHA256: found.Digest, ABI: found.About.ABI,
		Source: string(found.Source.Origin), Path: filepath.Base(found.Source.Path),
		Asked: found.About.Capabilities, Granted: found.About.Capabilities,
	}
	// A path outside the project means nothing on another machine.
	if dir, err := filepath.Abs(filepath.Dir(found.Source.Path)); err == nil {
		if resolved, err := filepath.EvalSymlinks(dir); err == nil {
			dir = resolved
		}
		if rel, err := filepath.Rel(root, dir); err == nil && filepath.IsLocal(rel) {
			e.Path = filepath.ToSlash(filepath.Join(rel, e.Path))
		}
	}
	for _, imp := range found.Info.Imports {
		e.Imports = append(e.Imports, imp.String())
	}
	return e
}

// loadLock reads the project's lock file. A missing file is empty.
func loadLock(root string) (*lock.File, error) {
	path := filepath.Join(root, lock.FileName)
	data, err := config.ReadPlanted(path)
	if errors.Is(err, fs.ErrNotExist) {
		return new(lock.File), nil
	}
	if err != nil {
		return nil, yamldoc.Problems{{Pos: yamldoc.Pos{File: path}, Message: "cannot read the lock file: " + err.Error()}}
	}
	return lock.Parse(path, data)
}

func trust(ctx context.Context, warn func(error), root string, e lock.Entry) (*lock.File, error) {
	return changeLock(ctx, warn, root, func(f *lock.File) { f.Set(e) })
}

// changeLock changes the project's lock file while no other process does. It reads
// the file again: another process may have changed it while the user was asked.
func changeLock(ctx context.Context, warn func(error), root string, change func(*lock.File)) (f *lock.File, err error) {
	release, err := lockDirectory(ctx, warn, root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", lock.FileName, err)
	}
	defer release()
	if f, err = loadLock(root); err != nil {
		return nil, err
	}
	change(f)
	if err := atomicfile.Write(filepath.Join(root, lock.FileName), f.Marshal()); err != nil {
		return nil, fmt.Errorf("%s: %w", lock.FileName, err)
	}
	return f, nil
}

// A wait for another process that has locked a directory is reported after
// slowAfter, and fails after maxWait: a stopped process would keep the lock forever.
const (
	slowAfter = time.Second
	maxWait   = 10 * time.Second
)

// lockDirectory locks a directory until release. A file in it cannot be locked
// instead, since a change replaces the file.
func lockDirectory(ctx context.Context, warn func(error), dir string) (release func(), err error) {
	for begun, warned := time.Now(), false; ; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !warned && time.Since(begun) > slowAfter {
			warned = true
			warn(fmt.Errorf("waiting for another process that has locked the project directory %s", dir))
		}
		lock, err := filelock.Try(dir)
		_, unreadable := errors.AsType[*fs.PathError](err)
		switch {
		case err == nil:
			return func() { _ = lock.Release() }, nil
		case unreadable:
			return nil, err
		case !errors.Is(err, filelock.ErrLocked):
			// This system cannot lock directories. Two changes in the same
			// millisecond can undo each other there.
			return func() {}, nil
		case time.Since(begun) > maxWait:
			return nil, errors.New("another process has locked the project directory")
		}
	}
}
