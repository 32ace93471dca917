package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/module"
	"github.com/stagecraft-dev/stagecraft/runtime/wholefile"
	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

// UntrustedError says that a provider may not run, since nobody has agreed to
// this module.
type UntrustedError struct {
	ID string
	// Changed is what differs from the module that was agreed to; nil when
	// there was none.
	Changed []string
	// Declined is set when the user was asked, and said no.
	Declined bool
}

func (e *UntrustedError) Error() string {
	switch {
	case e.Declined:
		return fmt.Sprintf("provider %s is not trusted", e.ID)
	case e.Changed != nil:
		return fmt.Sprintf("provider %s is not the one that %s has:\n%s", e.ID, lock.FileName, strings.Join(e.Changed, "\n"))
	}
	return fmt.Sprintf("provider %s is not trusted: it is not in %s", e.ID, lock.FileName)
}

// Hint says how to agree to the module.
func (e *UntrustedError) Hint() string {
	switch {
	case e.Declined:
		return ""
	case e.Changed != nil:
		return "review it with: stagecraft provider diff " + e.ID + "\nand agree to it with: stagecraft provider trust " + e.ID
	}
	return "look at what it asks for, and agree to it, with: stagecraft provider trust " + e.ID
}

// RefusedError says what a run does not meet of what policies require.
type RefusedError struct{ Refusals []capability.Refusal }

func (e *RefusedError) Error() string {
	lines := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		lines[i] = r.Pos.String() + ": " + r.Message
	}
	return strings.Join(lines, "\n")
}

// Hint says what to do about it, where something can be done.
func (e *RefusedError) Hint() string {
	var hints []string
	for _, r := range e.Refusals {
		if r.Hint != "" && !slices.Contains(hints, r.Hint) {
			hints = append(hints, r.Hint)
		}
	}
	return strings.Join(hints, "\n")
}

// Review is a module that someone is to agree to.
type Review struct {
	Entry lock.Entry
	// Before is the entry that it would replace, nil when there is none.
	Before *lock.Entry
}

// loadLock reads the project's lock file; one that isn't there is empty.
func loadLock(root string) (*lock.File, error) {
	path := filepath.Join(root, lock.FileName)
	data, err := config.ReadPlanted(path)
	if errors.Is(err, fs.ErrNotExist) {
		return new(lock.File), nil
	}
	if err != nil {
		return nil, yamldoc.Problems{{Pos: yamldoc.Pos{File: path}, Message: "the lock file can't be read: " + err.Error()}}
	}
	return lock.Parse(path, data)
}

// changeLock changes the project's lock file as it is now, while no other
// process does. It may be another one than was read before somebody was asked:
// whom another process trusted meanwhile stays trusted, and whom it did not
// trust any more is not trusted again.
func changeLock(p patience, root string, change func(*lock.File)) (f *lock.File, err error) {
	release, err := p.alone(root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", lock.FileName, err)
	}
	defer release()
	if f, err = loadLock(root); err != nil {
		return nil, err
	}
	change(f)
	if err := wholefile.Write(filepath.Join(root, lock.FileName), f.Marshal()); err != nil {
		return nil, fmt.Errorf("%s: %w", lock.FileName, err)
	}
	return f, nil
}

// admit decides whether a module may be compiled and run: what policies
// require of it, and whether someone has agreed to it. A module that was never
// agreed to is not even compiled, but to ask the user about it.
func (s *Session) admit(ctx context.Context, m module.Module, held *hostfuncs.Confinement) error {
	entry, known := s.lock.Get(m.ID)
	locked := known && entry.SHA256 == m.Digest()
	ask := s.opts.Confirm != nil && !s.opts.Locked && !known
	refusals := capability.Admit(s.files(), capability.Run{
		Provider: m.ID, SHA256: m.Digest(), BuiltIn: m.Origin == module.BuiltIn, Locked: locked,
		Unheld: held.Missing(),
	})
	switch {
	case len(refusals) > 0:
		return &RefusedError{refusals}
	case m.Origin == module.BuiltIn || locked || ask:
		return nil
	case known:
		return s.changed(ctx, m, entry)
	}
	return &UntrustedError{ID: m.ID}
}

// changed says how a module differs from the one that was agreed to. It is
// loaded for that, with no gate behind it.
func (s *Session) changed(ctx context.Context, m module.Module, before lock.Entry) error {
	e := &UntrustedError{ID: m.ID, Changed: []string{"  sha256 " + before.SHA256 + " -> " + m.Digest()}}
	found, err := inspect(ctx, m, s.opts)
	if err != nil {
		e.Changed = append(e.Changed, "  it can't be looked at: "+err.Error())
		return e
	}
	e.Changed = nil
	for _, line := range lock.Compare(before, s.entry(found)).Lines() {
		e.Changed = append(e.Changed, "  "+line)
	}
	return e
}

// confirm asks the user about a module that nobody has agreed to yet, and
// notes the answer.
func (s *Session) confirm(ctx context.Context, l *loaded) error {
	if s.agreed(l.Source) {
		return nil
	}
	found, err := l.inspection()
	if err != nil {
		return err
	}
	agreed, err := s.opts.Confirm(Review{Entry: s.entry(found)})
	if err != nil {
		return err
	}
	if !agreed {
		return &UntrustedError{ID: l.ID, Declined: true}
	}
	s.lock, err = trust(patience{ctx, s.opts.Reporter.Warn}, s.config.Root, s.entry(found))
	return err
}

// agreed tells whether there is nobody to ask about a provider any more.
func (s *Session) agreed(source module.Source) bool {
	_, known := s.lock.Get(source.ID)
	return known || source.Origin == module.BuiltIn
}

func (s *Session) entry(found Inspection) lock.Entry { return newEntry(s.config.Root, found) }

// newEntry is what a lock file has of a module, all granted that it asks for.
func newEntry(root string, found Inspection) lock.Entry {
	e := lock.Entry{
		ID: found.About.ID, Version: found.About.Version, SHA256: found.Digest, ABI: found.About.ABI,
		Source: string(found.Source.Origin), Path: filepath.Base(found.Source.Path),
		Asked: found.About.Capabilities, Granted: found.About.Capabilities,
	}
	// Where a module is on one machine says nothing on another, unless it is
	// in the project.
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

func trust(p patience, root string, e lock.Entry) (*lock.File, error) {
	return changeLock(p, root, func(f *lock.File) { f.Set(e) })
}

// asks are what a provider says that it needs, and what of it counts: all of
// it for one that is built in, what was granted for another.
func (s *Session) asks(l *loaded) (asked, granted abi.Capabilities) {
	if l.Origin == module.BuiltIn {
		asked = l.guest.Describe().Capabilities
		return asked, asked
	}
	entry, _ := s.lock.Get(l.ID)
	return entry.Asked, entry.Granted
}
