package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

// UntrustedError says that a provider may not run, because nobody trusts its module.
type UntrustedError struct {
	ID string
	// Before is the SHA-256 of the trusted module, and Now that of the module that
	// was found. Both are empty if no module with this ID is trusted.
	Before, Now string
	// Declined is set if the user was asked and said no.
	Declined bool
	// Unasked is the ID or file that the user named to trust it, if the user cannot
	// be asked.
	Unasked string
}

func (e *UntrustedError) Error() string {
	switch {
	case e.Declined:
		return fmt.Sprintf("provider %s is not trusted", e.ID)
	case e.Unasked != "":
		return fmt.Sprintf("provider %s is not trusted: cannot ask without a terminal or with --locked", e.ID)
	case e.Before != "":
		return fmt.Sprintf("provider %s differs from the one in %s:\nsha256 %s -> %s", e.ID, lock.FileName, e.Before, e.Now)
	}
	return fmt.Sprintf("provider %s is not trusted: it is not in %s", e.ID, lock.FileName)
}

// Hint says how to trust the module.
func (e *UntrustedError) Hint() string {
	switch {
	case e.Declined:
		return ""
	case e.Unasked != "":
		return "inspect it with: stagecraft provider inspect --load " + e.Unasked + "\ntrust it with: stagecraft provider trust --yes " + e.Unasked
	case e.Before != "":
		return "review it with: stagecraft provider diff " + e.ID + "\ntrust it with: stagecraft provider trust " + e.ID
	}
	return "review what it asks for and trust it with: stagecraft provider trust " + e.ID
}

// RefusedError lists the requirements of policies that a run does not meet.
type RefusedError struct{ Refusals []capability.Refusal }

func (e *RefusedError) Error() string {
	lines := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		lines[i] = r.Pos.String() + ": " + r.Message
	}
	return strings.Join(lines, "\n")
}

// Hint says what to do about it, if anything can be done.
func (e *RefusedError) Hint() string {
	var hints []string
	for _, r := range e.Refusals {
		if r.Hint != "" && !slices.Contains(hints, r.Hint) {
			hints = append(hints, r.Hint)
		}
	}
	return strings.Join(hints, "\n")
}

// Review describes a module for a user who decides whether to trust it.
type Review struct {
	Entry lock.Entry
	// Before is the entry that Entry would replace, nil if there is none.
	Before *lock.Entry
	// Found is the module. If it was not loaded, Entry repeats from Before what the
	// module would say of itself.
	Found Inspection
}

// admit checks a module before it is loaded: the requirements of policies, and
// whether the module is trusted. With ask, the user has to be asked first.
func (s *Session) admit(m provider.Module, missing []string) (ask bool, err error) {
	if refusals := capability.Admit(s.policies(), s.asRun(m, missing)); len(refusals) > 0 {
		return false, &RefusedError{refusals}
	}
	err = s.checkTrust(m)
	if e, ok := errors.AsType[*UntrustedError](err); ok && e.Before == "" && s.opts.Confirm != nil && !s.opts.Locked {
		return true, nil
	}
	return false, err
}

// admitIdle is admit for a module that is loaded and not called.
func (s *Session) admitIdle(m provider.Module) error {
	if refusals := capability.AdmitModule(s.policies(), s.asRun(m, nil)); len(refusals) > 0 {
		return &RefusedError{refusals}
	}
	return s.checkTrust(m)
}

func (s *Session) asRun(m provider.Module, unenforced []string) capability.Run {
	entry, known := s.lock.Get(m.ID)
	return capability.Run{
		Provider: m.ID, SHA256: m.Digest(), BuiltIn: m.Origin == provider.BuiltIn,
		Locked: known && entry.SHA256 == m.Digest(), Unenforced: unenforced,
	}
}

// checkTrust compares digests only: what an unknown module asks for is not known
// before it is loaded.
func (s *Session) checkTrust(m provider.Module) error {
	entry, known := s.lock.Get(m.ID)
	switch {
	case m.Origin == provider.BuiltIn || known && entry.SHA256 == m.Digest():
		return nil
	case known:
		return &UntrustedError{ID: m.ID, Before: entry.SHA256, Now: m.Digest()}
	}
	return &UntrustedError{ID: m.ID}
}

// mayLoad asks the user whether to load an untrusted module, to show what it asks
// for.
func (s *Session) mayLoad(found Inspection) error {
	agreed, err := s.opts.MayLoad(found)
	if err == nil && !agreed {
		err = &UntrustedError{ID: found.Source.ID, Declined: true}
	}
	return err
}

// checkEntry compares a trusted module's entry in the lock file with the module's
// own description, since people review the entry only.
func (s *Session) checkEntry(l *loaded) error {
	entry, known := s.lock.Get(l.ID)
	if !known || l.Origin == provider.BuiltIn {
		return nil
	}
	found, err := l.inspection()
	if err != nil {
		return err
	}
	var problems yamldoc.Problems
	for _, wrong := range entry.Contradictions(newEntry(s.config.Root, found)) {
		problems.Add(s.lock.Pos(l.ID), "providers."+l.ID, wrong,
			"the entry was changed, the module was not: restore the entry, or review the module and run: stagecraft provider trust "+l.ID)
	}
	return problems.Err()
}

// confirm asks the user whether to trust a module, and records the answer.
func (s *Session) confirm(ctx context.Context, l *loaded) error {
	found, err := l.inspection()
	if err != nil {
		return err
	}
	entry := newEntry(s.config.Root, found)
	agreed, err := s.opts.Confirm(Review{Entry: entry})
	if err != nil {
		return err
	}
	if !agreed {
		return &UntrustedError{ID: l.ID, Declined: true}
	}
	if s.lock, err = trust(ctx, s.opts.Reporter.Warn, s.config.Root, entry); err != nil {
		return err
	}
	// This change is the user's.
	s.opened.Renew(filepath.Join(s.config.Root, lock.FileName))
	return nil
}

// agreed reports whether the user is not asked about a provider any more.
func (s *Session) agreed(source provider.Source) bool {
	_, known := s.lock.Get(source.ID)
	return known || source.Origin == provider.BuiltIn
}

// asks returns what a provider asks for, and what is granted: everything to a
// built-in one, what the lock file grants to others.
func (s *Session) asks(l *loaded) (asked, granted abi.Capabilities) {
	if l.Origin == provider.BuiltIn {
		asked = l.guest.Describe().Capabilities
		return asked, asked
	}
	entry, _ := s.lock.Get(l.ID)
	return entry.Asked, entry.Granted
}
