package main

import (
	"errors"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// startDue starts the processes whose turn it is, and asks those with ready.exec.
func (s *supervisor) startDue(ctx backend.Context) {
	for more := true; more; {
		more = false
		for _, p := range s.all {
			if !s.ending && (p.state == waiting && s.met(p) || p.state == pausing && p.pause <= 0) {
				s.start(ctx, p)
				more = true // it may be the turn of another one
			}
			if !s.ending && p.state == starting && p.process.Ready != nil && p.process.Ready.Exec != nil && p.probe <= 0 {
				s.ask(ctx, p)
				more = more || p.wasReady
			}
		}
	}
}

// met reports whether what a process depends on is as it should be.
func (s *supervisor) met(p *supervised) bool {
	for name, when := range p.DependsOn {
		other := s.find(name)
		switch {
		case when == whenStarted && other.state == waiting,
			when == whenReady && !other.wasReady,
			when == whenDone && other.state != done:
			return false
		}
	}
	return true
}

func (s *supervisor) start(ctx backend.Context, p *supervised) {
	request := abi.ProcessStartRequest{
		Argv: p.Command, Dir: p.Workdir, EnvBase: s.env, EnvFiles: p.EnvFiles, Env: p.Env, Name: p.name, Ends: p.Once, Ordered: true, Terminal: true,
	}
	p.left = 0
	if r := p.process.Ready; r != nil {
		p.left = milliseconds(r.Timeout, defaultReady)
		if r.Exec == nil {
			request.Ready = &abi.Ready{TCP: r.TCP, Log: r.Log}
		}
		if h := r.HTTP; h != nil {
			request.Ready.HTTP = &abi.ReadyHTTP{Port: h.Port, Path: h.Path, Status: h.Status}
		}
	}
	id, err := backend.Start(ctx, request)
	if err != nil {
		p.state = over
		s.end(s.failure(p, err))
		return
	}
	p.id, p.again, p.probe, p.state = id, false, 0, starting
	if p.process.Ready == nil {
		p.becomeReady()
	}
}

func (p *supervised) becomeReady() { p.state, p.wasReady, p.left = running, true, 0 }

// failure is the error of a process that could not be started.
func (s *supervisor) failure(p *supervised, err error) error {
	at := abi.UnderPointer("/dev/processes", p.name)
	err = ofConfig(err, map[string]string{"dir": at + "/workdir", "ready": at + "/ready", "ready.log": at + "/ready/log"})
	if e, ok := errors.AsType[*abi.Error](err); ok && len(e.Problems) == 0 {
		named := *e
		named.Message = p.name + ": " + e.Message
		return &named
	}
	return err
}

const (
	askTimeout = 5 * duration.Second // of one run of ready.exec
	askPause   = duration.Second / 2 // between two
)

// ask runs ready.exec once.
func (s *supervisor) ask(ctx backend.Context, p *supervised) {
	res, err := backend.Exec(ctx, abi.ExecRequest{
		Argv: p.process.Ready.Exec, Dir: p.Workdir, EnvBase: s.env, EnvFiles: p.EnvFiles, Env: p.Env, Capture: true, TimeoutMS: askTimeout,
	})
	e, _ := errors.AsType[*abi.Error](err)
	switch {
	case err == nil && res.ExitCode == 0:
		p.becomeReady()
	case err == nil, e != nil && (e.Code == abi.CodeTimeout || e.Code == abi.CodeInterrupted):
		p.probe = askPause
	default:
		s.end(s.failure(p, err))
	}
}
