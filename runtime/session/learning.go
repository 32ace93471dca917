package session

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
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
	used   map[string]capability.Used
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

// Learnt is what a run was allowed, and what its commands used, by the ID of the
// provider that ran them.
type Learnt struct {
	Claims []capability.Claim
	Used   map[string]capability.Used
}

// Learn runs a command and tells what it was allowed; with allow set, whatever
// the project's policy says. What is told counts whether the run worked or not.
func (s *Session) Learn(ctx context.Context, command string, opts BuildOptions, allow bool) (Learnt, error) {
	s.learning = &learning{Allow: allow, used: make(map[string]capability.Used)}
	err := s.command(ctx, command, opts)
	return Learnt{s.learning.claims, s.learning.used}, err
}

// watched notes what the commands of a provider used, once they have ended.
func (l *learning) watched(provider string, held *exec.Confinement) error {
	if l == nil {
		return nil
	}
	var err error
	l.used[provider], err = held.Used()
	return err
}

// command makes the run that a command's name stands for.
func (s *Session) command(ctx context.Context, name string, opts BuildOptions) error {
	if name == CommandDev {
		return s.Dev(ctx)
	}
	_, err := s.Build(ctx, opts)
	return err
}
