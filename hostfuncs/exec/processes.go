package exec

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// processes are the programs that a provider started and has not yet waited
// for to their end. The zero value has none.
type processes struct {
	mu      sync.Mutex
	running []*started
	last    int           // the ID that was given last
	changed chan struct{} // closed when there is news
	told    bool          // of the interrupt
	group   sync.WaitGroup
}

// started is one of them.
type started struct {
	id     int
	cancel context.CancelCauseFunc
	seen   []string // watched lines that nobody was told of
	// ended is set once it has, and exit or err is how.
	ended bool
	exit  abi.ProcessExit
	err   error
	// pretended is of a plan, in which nothing is started, and endless that it
	// runs until the run is asked to end.
	pretended, endless bool
}

// add gives a program its ID.
func (ps *processes) add(s *started) error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if len(ps.running) == abi.MaxProcesses {
		return abi.Errorf(abi.CodeTooLarge, "process_start: %d programs run already, no more can", abi.MaxProcesses)
	}
	ps.last++
	s.id = ps.last
	ps.running = append(ps.running, s)
	return nil
}

// news wakes whoever waits. The lock is held.
func (ps *processes) news() {
	if ps.changed != nil {
		close(ps.changed)
		ps.changed = nil
	}
}

// next is a channel that is closed at the next news. The lock is held.
func (ps *processes) next() <-chan struct{} {
	if ps.changed == nil {
		ps.changed = make(chan struct{})
	}
	return ps.changed
}

// find lists the programs with these IDs, all where there are none.
func (ps *processes) find(operation string, ids []int) ([]*started, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if len(ids) == 0 {
		return slices.Clone(ps.running), nil
	}
	var found []*started
	for _, id := range ids {
		i := slices.IndexFunc(ps.running, func(s *started) bool { return s.id == id })
		if i < 0 {
			return nil, abi.Errorf(abi.CodeInvalid, "%s: no program with the ID %d was started and not yet waited for", operation, id)
		}
		found = append(found, ps.running[i])
	}
	return found, nil
}

// many tells whether it has to be said which program prints.
func (ps *processes) many() bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return len(ps.running) > 1
}

// end notes how a program ended.
func (ps *processes) end(s *started, exit abi.ProcessExit, err error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	exit.ID = s.id
	s.ended, s.exit, s.err = true, exit, err
	ps.news()
}

// saw notes a line that was watched for.
func (ps *processes) saw(s *started, line string) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	s.seen = append(s.seen, line)
	ps.news()
}

// forget removes a program that could not be started.
func (ps *processes) forget(s *started) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.take(s)
}

// take removes a program, once it has been told how it ended. The lock is held.
func (ps *processes) take(s *started) {
	ps.running = slices.DeleteFunc(ps.running, func(other *started) bool { return other == s })
}

// event is what there is to tell of some programs, if anything. The lock is
// held.
func (ps *processes) event(of []*started) (result abi.ProcessWaitResult, err error, ok bool) {
	for _, s := range of {
		switch {
		case len(s.seen) > 0:
			line := s.seen[0]
			s.seen = s.seen[1:]
			return abi.ProcessWaitResult{Seen: &abi.ProcessLine{ID: s.id, Line: line}}, nil, true
		case s.ended:
			ps.take(s)
			return abi.ProcessWaitResult{Exited: &s.exit}, s.err, true
		case s.pretended && (ps.told || !s.endless):
			ps.take(s)
			return abi.ProcessWaitResult{Exited: &abi.ProcessExit{ID: s.id, Interrupted: ps.told}}, nil, true
		case s.pretended:
			ps.told = true
			return abi.ProcessWaitResult{Interrupted: true}, nil, true
		}
	}
	return result, nil, false
}

// pending tells whether wait would have something to tell.
func (ps *processes) pending(of []*started) (<-chan struct{}, bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.next(), slices.ContainsFunc(of, func(s *started) bool { return s.ended || len(s.seen) > 0 })
}

// wait waits for the first thing that happens. It goes on after an interrupt,
// of which it tells once.
func (ps *processes) wait(ctx context.Context, of []*started, timeout time.Duration) (abi.ProcessWaitResult, error) {
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
		if ps.told {
			interrupt = nil
		}
		result, err, ok := ps.event(of)
		changed := ps.next()
		ps.mu.Unlock()
		if ok {
			return result, err
		}
		select {
		case <-changed:
		case <-interrupt:
			ps.mu.Lock()
			ps.told = true
			ps.mu.Unlock()
			return abi.ProcessWaitResult{Interrupted: true}, nil
		case <-over:
			return abi.ProcessWaitResult{TimedOut: true}, nil
		case <-ctx.Done():
			return abi.ProcessWaitResult{}, context.Cause(ctx)
		}
	}
}

// stop ends a program, and waits until it has ended.
func (ps *processes) stop(ctx context.Context, s *started, sig os.Signal, grace time.Duration) (abi.ProcessExit, error) {
	if s.pretended {
		ps.mu.Lock()
		defer ps.mu.Unlock()
		ps.take(s)
		return abi.ProcessExit{ID: s.id}, nil
	}
	kill := make(chan struct{})
	timer := time.AfterFunc(grace, func() { close(kill) })
	defer timer.Stop()
	stopped := process.NewInterrupted(sig, kill)
	stopped.Stopped = true
	s.cancel(stopped)
	ctx = lingering(ctx)
	for {
		ps.mu.Lock()
		ended, changed := s.ended, ps.next()
		if ended {
			ps.take(s)
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

// close ends what still runs, and waits for that.
func (ps *processes) close() {
	ps.mu.Lock()
	for _, s := range ps.running {
		if !s.pretended {
			s.cancel(errors.New("the run is over"))
		}
	}
	ps.mu.Unlock()
	ps.group.Wait()
}
