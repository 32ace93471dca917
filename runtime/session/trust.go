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
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

// UntrustedError says that a provider may not run, since nobody has agreed to
// this module.
type UntrustedError struct {
	ID string
	// Before is the SHA-256 of the module that was trusted, and Now that of the
	// module that is there; both are empty when none was.
	Before, Now string
	// Declined is set when the user was asked, and said no.
	Declined bool
	// Unasked is the module as the user named it to trust it, where nobody can be
	// asked.
	Unasked string
}

func (e *UntrustedError) Error() string {
	switch {
	case e.Declined:
		return fmt.Sprintf("provider %s is not trusted", e.ID)
	case e.Unasked != "":
		return fmt.Sprintf("provider %s is not trusted: nobody can be asked here", e.ID)
	case e.Before != "":
		return fmt.Sprintf("provider %s is not the one that %s has:\nsha256 %s -> %s", e.ID, lock.FileName, e.Before, e.Now)
	}
	return fmt.Sprintf("provider %s is not trusted: it is not in %s", e.ID, lock.FileName)
}

// Hint says how to agree to the module.
func (e *UntrustedError) Hint() string {
	switch {
	case e.Declined:
		return ""
	case e.Unasked != "":
		return "look at it with: stagecraft provider inspect --load " + e.Unasked + "\nand agree to it with: stagecraft provider trust --yes " + e.Unasked
	case e.Before != "":
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
	// Found is the module. Where it was not loaded, Entry has what Before has of
	// what the module itself would say.
	Found Inspection
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
	if err := atomicfile.Write(filepath.Join(root, lock.FileName), f.Marshal()); err != nil {
		return nil, fmt.Errorf("%s: %w", lock.FileName, err)
	}
	return f, nil
}

// admit decides whether a module may be loaded: what policies require of a run
// of it, and whether it is the one that was trusted. With ask it may be once the
// user has said so.
func (s *Session) admit(m seen, missing []string) (ask bool, err error) {
	if refusals := capability.Admit(s.policies(), s.asRun(m, missing)); len(refusals) > 0 {
		return false, &RefusedError{refusals}
	}
	err = s.checkTrust(m)
	if e, ok := errors.AsType[*UntrustedError](err); ok && e.Before == "" && s.opts.Confirm != nil && !s.opts.Locked {
		return true, nil
	}
	return false, err
}

// admitIdle is admit for a module that is given nothing to do.
func (s *Session) admitIdle(m seen) error {
	if refusals := capability.AdmitModule(s.policies(), s.asRun(m, nil)); len(refusals) > 0 {
		return &RefusedError{refusals}
	}
	return s.checkTrust(m)
}

func (s *Session) asRun(m seen, unenforced []string) capability.Run {
	entry, known := s.lock.Get(m.ID)
	return capability.Run{
		Provider: m.ID, SHA256: m.Digest(), BuiltIn: m.Origin == provider.BuiltIn,
		Locked: known && entry.SHA256 == m.Digest(), Unenforced: unenforced,
	}
}

// checkTrust compares digests, and nothing else: what another module asks for is
// known only to whoever loads it.
func (s *Session) checkTrust(m seen) error {
	entry, known := s.lock.Get(m.ID)
	switch {
	case m.Origin == provider.BuiltIn || known && entry.SHA256 == m.Digest():
		return nil
	case known:
		return &UntrustedError{ID: m.ID, Before: entry.SHA256, Now: m.Digest()}
	}
	return &UntrustedError{ID: m.ID}
}

// mayLoad asks the user whether a module that nobody has trusted may be loaded,
// which is what shows what it asks for.
func (s *Session) mayLoad(m seen) error {
	agreed, err := s.opts.MayLoad(m.inspection())
	if err == nil && !agreed {
		err = &UntrustedError{ID: m.ID, Declined: true}
	}
	return err
}

// checkEntry compares what the lock file says of a trusted module with what the
// module says: others have read and reviewed the file alone.
func (s *Session) checkEntry(l *loaded) error {
	entry, known := s.lock.Get(l.ID)
	if !known || l.Origin == provider.BuiltIn {
		return nil
	}
	var problems yamldoc.Problems
	for _, wrong := range entry.Contradictions(s.entry(l.inspection())) {
		problems.Add(s.lock.Pos(l.ID), "providers."+l.ID, wrong,
			"the module was not changed, its entry was: restore it, or look at the module and run: stagecraft provider trust "+l.ID)
	}
	return problems.Err()
}

// confirm asks the user about a module that nobody has agreed to yet, and
// notes the answer.
func (s *Session) confirm(ctx context.Context, l *loaded) error {
	found := l.inspection()
	agreed, err := s.opts.Confirm(Review{Entry: s.entry(found)})
	if err != nil {
		return err
	}
	if !agreed {
		return &UntrustedError{ID: l.ID, Declined: true}
	}
	if s.lock, err = trust(patience{ctx, s.opts.Reporter.Warn}, s.config.Root, s.entry(found)); err != nil {
		return err
	}
	// This change is the user's.
	s.opened.Renew(filepath.Join(s.config.Root, lock.FileName))
	return nil
}

// agreed tells whether there is nobody to ask about a provider any more.
func (s *Session) agreed(source provider.Source) bool {
	_, known := s.lock.Get(source.ID)
	return known || source.Origin == provider.BuiltIn
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
	if l.Origin == provider.BuiltIn {
		asked = l.guest.Describe().Capabilities
		return asked, asked
	}
	entry, _ := s.lock.Get(l.ID)
	return entry.Asked, entry.Granted
}
