package main

import (
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// exited handles the end of a process.
func (s *supervisor) exited(ctx backend.Context, p *supervised, exit *abi.ProcessExit) {
	ready := p.state == running
	p.left, p.probe = 0, 0
	how := "exit status " + strconv.Itoa(exit.ExitCode)
	if exit.Signal != "" {
		how = "ended by " + exit.Signal
	}
	switch {
	case s.ending:
		p.state = over
	case p.again:
		p.state, p.pause = pausing, 0
	case p.Once && exit.ExitCode == 0:
		p.state, p.wasReady = done, true
	case p.restartsAfter(exit):
		p.state, p.pause = pausing, p.backoff()
		p.restarts++
		backend.Log(ctx, abi.LevelWarn, p.name+": "+how+"; restart "+strconv.Itoa(p.restarts)+" of "+strconv.Itoa(p.most())+" in "+duration.Format(p.pause))
	default:
		p.state = over
		if p.restarts > 0 {
			how += " after " + strconv.Itoa(p.restarts) + " restarts"
		}
		if p.process.Ready != nil && !ready {
			how += ", before it was ready"
		}
		how += s.neverStarted()
		if exit.ExitCode == 0 {
			backend.Log(ctx, abi.LevelWarn, p.name+": "+how+"; it ends the run")
			s.end(nil)
			return
		}
		s.end(&backend.ExitError{Message: p.name + ": " + how, Code: exit.ExitCode})
	}
}

// neverStarted names the processes whose turn never came.
func (s *supervisor) neverStarted() string {
	var names []string
	for _, p := range s.all {
		if p.state == waiting {
			names = append(names, p.name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; never started: " + strings.Join(names, ", ")
}

func (p *supervised) restartsAfter(exit *abi.ProcessExit) bool {
	wanted := p.Restart.When == always && !p.Once || p.Restart.When != "" && p.Restart.When != never && exit.ExitCode != 0
	return wanted && p.restarts < p.most()
}

func (p *supervised) most() int {
	if p.Restart.Max == nil {
		return defaultMax
	}
	return *p.Restart.Max
}

// backoff doubles with each restart.
func (p *supervised) backoff() int64 {
	pause := milliseconds(p.Restart.Backoff, defaultBackoff)
	for i := 0; i < p.restarts && pause < maxBackoff; i++ {
		pause *= 2
	}
	return min(pause, maxBackoff)
}

// restart starts a process again, whatever it does.
func (s *supervisor) restart(ctx backend.Context, p *supervised) {
	p.restarts = 0
	switch p.state {
	case starting, running:
		p.again = true
		s.stop(ctx, p)
	case pausing, done:
		p.state, p.pause = pausing, 0
	}
}

// end ends the run with a result. The first one counts.
func (s *supervisor) end(result error) {
	if !s.ending {
		s.ending, s.result = true, result
	}
	for _, p := range s.all {
		p.pause, p.probe, p.left = 0, 0, 0
	}
}

// stopDue stops the processes on which none that runs depends.
func (s *supervisor) stopDue(ctx backend.Context) {
	if !s.ending {
		return
	}
	for _, p := range s.all {
		if (p.state == starting || p.state == running) && !s.needed(p) {
			s.stop(ctx, p)
		}
	}
}

// needed reports whether a process that runs depends on p, directly or not.
func (s *supervisor) needed(p *supervised) bool {
	for _, other := range s.all {
		if _, depends := other.DependsOn[p.name]; depends && (other.alive() || s.needed(other)) {
			return true
		}
	}
	return false
}

func (s *supervisor) stop(ctx backend.Context, p *supervised) {
	_, err := backend.Stop(ctx, abi.ProcessStopRequest{
		ID: p.id, Signal: p.Stop.Signal, GraceMS: milliseconds(p.Stop.Grace, 0), NoWait: true,
	})
	if err != nil {
		p.state = over
		s.end(err)
		return
	}
	p.state = stopping
}
