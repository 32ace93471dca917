package session

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// learning gathers what a run was allowed. What a child gets of the user's
// environment is then what it will get under a policy, so that a program that
// lacks something fails now, and not later.
type learning struct {
	// Allow puts a policy that allows everything in the project's place. What
	// the provider asks for and the ceilings hold all the same.
	Allow  bool
	claims []capability.Claim
	calls  int
}

// maxClaims bounds what is kept of a run; a policy of so many rules helps
// nobody.
const maxClaims = 100_000

func (l *learning) note(rec *hostfuncs.Record) {
	if l == nil || !rec.Decided || rec.Denied() {
		return
	}
	l.calls++
	if len(l.claims) < maxClaims {
		l.claims = append(l.claims, rec.Claim)
	}
}

// Learn runs a command and tells what it was allowed; with allow set, whatever
// the project's policy says. The claims count whether the run worked or not.
func (s *Session) Learn(ctx context.Context, command string, opts BuildOptions, allow bool) ([]capability.Claim, error) {
	s.learning = &learning{Allow: allow}
	err := s.command(ctx, command, opts)
	return s.learning.claims, err
}

// command makes the run that a command's name stands for.
func (s *Session) command(ctx context.Context, name string, opts BuildOptions) error {
	if name == CommandDev {
		return s.Dev(ctx)
	}
	_, err := s.Build(ctx, opts)
	return err
}
