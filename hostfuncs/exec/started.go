package exec

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// startedPrograms are the programs that a provider started and whose end it has not
// yet been given.
type startedPrograms struct {
	mu          sync.Mutex
	list        []*started
	lastID      int
	changed     chan struct{} // closed and replaced at each event
	interrupted bool          // the provider has been given the interrupt
	over        bool          // nothing is started anymore
	group       sync.WaitGroup
}

// started is one program.
type started struct {
	id      int
	cancel  context.CancelCauseFunc
	gone    chan struct{} // closed when it has ended
	asked   bool          // by the provider, to end
	removed func()        // is called when the provider has been given its end; nil if planned
	seen    []string      // watched lines that the provider has not been given
	ready   bool          // the provider has not been given that it became ready
	// ended says that it has ended, and exit or err how.
	ended bool
	exit  abi.ProcessExit
	err   error
	// planned means that it was not really started, and endless that it is supposed
	// to run until the run is interrupted.
	planned, endless bool
	// files is set for a watch of files, which has an ID among those of programs.
	files *fileWatch
}

var errOver = errors.New("the run is over")

// add gives a program its ID.
func (ps *startedPrograms) add(s *started) error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if err := s.files.admit(ps.list); err != nil {
		return err
	}
	if ps.over {
		return errOver
	}
	ps.lastID++
	s.id = ps.lastID
	ps.list = append(ps.list, s)
	return nil
}

// update changes the state of a program, and wakes all that wait.
func (ps *startedPrograms) update(change func()) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	change()
	close(ps.changed)
	ps.changed = make(chan struct{})
}

// find lists the programs with these IDs, or all if there are none.
func (ps *startedPrograms) find(operation string, ids []int) ([]*started, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if len(ids) == 0 {
		return slices.Clone(ps.list), nil
	}
	var found []*started
	for _, id := range ids {
		i := slices.IndexFunc(ps.list, func(s *started) bool { return s.id == id })
		if i < 0 {
			return nil, abi.Errorf(abi.CodeInvalid, "%s: no program with the ID %d was started and not yet waited for", operation, id)
		}
		found = append(found, ps.list[i])
	}
	return found, nil
}

// remove removes a program whose end was given to the provider. The caller has the
// lock.
func (ps *startedPrograms) remove(s *started) {
	if s.removed != nil {
		s.removed()
	}
	ps.list = slices.DeleteFunc(ps.list, func(other *started) bool { return other == s })
}

// event returns the next event of some programs; ok is false if there is none. The
// caller has the lock.
func (ps *startedPrograms) event(of []*started) (result abi.ProcessWaitResult, err error, ok bool) {
	for _, s := range of {
		if result, ok := s.files.event(s.id); ok {
			return result, nil, true
		}
		switch {
		case s.files != nil: // it only has changes
		case len(s.seen) > 0:
			line := s.seen[0]
			s.seen = s.seen[1:]
			return abi.ProcessWaitResult{Seen: &abi.ProcessLine{ID: s.id, Line: line}}, nil, true
		case s.ready:
			s.ready = false
			return abi.ProcessWaitResult{Ready: &abi.ProcessReady{ID: s.id}}, nil, true
		case s.ended:
			ps.remove(s)
			return abi.ProcessWaitResult{Exited: &s.exit}, s.err, true
		case s.planned && (ps.interrupted || !s.endless):
			ps.remove(s)
			return abi.ProcessWaitResult{Exited: &abi.ProcessExit{ID: s.id, Interrupted: ps.interrupted}}, nil, true
		}
	}
	return ps.onlyPlanned(of)
}

// pending reports whether wait would return an event, and returns a channel that is
// closed at the next one.
func (ps *startedPrograms) pending(of []*started) (<-chan struct{}, bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.changed, slices.ContainsFunc(of, func(s *started) bool { return s.ended || s.ready || len(s.seen) > 0 || s.files.ready() })
}

// wait waits for the first event, or for a typed line that is a key. It returns an
// interrupt once, and can then be called again.
func (ps *startedPrograms) wait(
	ctx context.Context, of []*started, timeout time.Duration, lines <-chan string, typed func(line string) (abi.TypedKey, bool),
) (abi.ProcessWaitResult, error) {
	interrupt := ctx.Done()
	ctx = lingering(ctx)
	var over <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		over = timer.C
	}
	for {
		ps.mu.Lock()
		if ps.interrupted {
			interrupt = nil
		}
		result, err, ok := ps.event(of)
		changed := ps.changed
		ps.mu.Unlock()
		if ok {
			return result, err
		}
		select {
		case <-changed:
		case line := <-lines:
			if key, ok := typed(line); ok {
				return abi.ProcessWaitResult{Typed: &key}, nil
			}
		case <-interrupt:
			ps.update(func() { ps.interrupted = true })
			return abi.ProcessWaitResult{Interrupted: true}, nil
		case <-over:
			return abi.ProcessWaitResult{TimedOut: true}, nil
		case <-ctx.Done():
			return abi.ProcessWaitResult{}, context.Cause(ctx)
		}
	}
}

// askToEnd ends a watch, or sends a program its signal, and kills it after the grace
// period or at the user's second signal.
func (ps *startedPrograms) askToEnd(ctx context.Context, p stopPlan) {
	s := p.program
	s.files.close()
	if s.planned || s.files != nil {
		ps.update(func() {
			s.ended, s.exit = true, abi.ProcessExit{ID: s.id}
			if s.files != nil {
				ps.remove(s) // its end is not an event
			}
		})
		return
	}
	kill := make(chan struct{})
	stopped := process.NewInterrupted(p.signal, kill)
	_, over := asksToEnd(ctx)
	stopped.Stopped = !over
	s.cancel(stopped)
	ps.group.Go(func() {
		defer close(kill)
		timer := time.NewTimer(p.grace)
		defer timer.Stop()
		first, second := ctx.Done(), (<-chan struct{})(nil)
		for {
			select {
			case <-first:
				first = nil
				if why, ok := asksToEnd(ctx); ok {
					second = why.Kill
				}
			case <-second:
				return
			case <-timer.C:
				return
			case <-s.gone:
				return
			}
		}
	})
}

// ended waits until a program has ended, and removes it.
func (ps *startedPrograms) ended(ctx context.Context, s *started) (abi.ProcessExit, error) {
	ctx = lingering(ctx)
	for {
		ps.mu.Lock()
		ended, changed := s.ended, ps.changed
		if ended {
			ps.remove(s)
		}
		ps.mu.Unlock()
		if ended {
			s.exit.Interrupted = false
			return s.exit, s.err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return abi.ProcessExit{}, context.Cause(ctx)
		}
	}
}

// followKill kills a program that the provider ends itself: at the user's second signal,
// or at the end of a run that nobody interrupted.
func (s *started) followKill(run, own context.Context) {
	select {
	case <-run.Done():
	case <-own.Done():
		return
	}
	why, ok := asksToEnd(run)
	if !ok {
		s.cancel(context.Cause(run))
		return
	}
	select {
	case <-why.Kill:
		s.cancel(why)
	case <-own.Done():
	}
}

// close ends all programs and watches, and waits for their end.
func (ps *startedPrograms) close() {
	ps.mu.Lock()
	ps.over = true
	all := slices.Clone(ps.list)
	for _, s := range all {
		if !s.planned && s.files == nil {
			s.cancel(errOver)
		}
	}
	ps.mu.Unlock()
	for _, s := range all {
		s.files.close()
	}
	ps.group.Wait()
}
