package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// state is the state of a supervised process.
type state int

const (
	waiting  state = iota // for what it depends on
	starting              // runs and is not ready
	running               // and ready, if it has a condition
	pausing               // before a restart
	done                  // ended by itself, and its end is its purpose
	stopping              // was asked to end
	over                  // ended, and does not start again
)

var stateWords = [...]string{"waiting", "starting", "running", "restarting", "done", "stopping", "ended"}

// supervised is a process in a run. Times are in milliseconds.
type supervised struct {
	process
	name     string
	state    state
	id       int
	wasReady bool
	restarts int
	watchID  int   // 0 for none
	again    bool  // start it again when it has ended
	pause    int64 // until its restart
	probe    int64 // until ready.exec runs again
	left     int64 // until it is not ready in time
}

// alive reports whether its program runs.
func (p *supervised) alive() bool {
	return p.state == starting || p.state == running || p.state == stopping
}

// supervisor runs processes in the order of their dependencies.
type supervisor struct {
	all    []*supervised // sorted by name
	env    map[string]abi.Value
	told   bool  // that all are ready
	ending bool  // what runs is being stopped
	result error // of the run, once it is ending
}

// supervise runs the processes that the user wants until one of them ends the run.
func supervise(ctx backend.Context, all map[string]process, opts backend.DevOptions) error {
	wanted, err := closure(all, opts.Processes)
	if err != nil {
		return err
	}
	s := &supervisor{env: texts(opts.Env)}
	for _, name := range abi.SortedKeys(wanted) {
		s.all = append(s.all, &supervised{process: all[name], name: name})
	}
	if name := opts.OnlyOutput; name != "" && s.find(name) == nil {
		return unknownProcess(abi.OptionOnlyOutput, name, wanted)
	}
	if err := s.watch(ctx); err != nil {
		return err
	}
	for {
		s.startDue(ctx)
		s.stopDue(ctx)
		s.tellReady(ctx)
		if s.settled() {
			return s.result
		}
		s.await(ctx)
	}
}

// watch starts the watches of files. What changes from now on restarts a process.
func (s *supervisor) watch(ctx backend.Context) error {
	for _, p := range s.all {
		if p.Watch == nil {
			continue
		}
		id, err := backend.Watch(ctx, abi.WatchRequest{
			Paths: p.Watch.Paths, Ignore: p.Watch.Ignore, DebounceMS: milliseconds(p.Watch.Debounce, 0),
		})
		if err != nil {
			at := abi.UnderPointer("/dev/processes", p.name) + "/watch/"
			return ofConfig(err, map[string]string{"paths": at + "paths", "ignore": at + "ignore"})
		}
		p.watchID = id
	}
	return nil
}

// closure returns the named processes with all that they depend on; all if none is
// named.
func closure(all map[string]process, names []string) (map[string]process, error) {
	if len(names) == 0 {
		return all, nil
	}
	wanted := make(map[string]process)
	var add func(name string)
	add = func(name string) {
		if _, ok := wanted[name]; ok {
			return
		}
		wanted[name] = all[name]
		for other := range all[name].DependsOn {
			add(other)
		}
	}
	for _, name := range names {
		if _, ok := all[name]; !ok {
			return nil, unknownProcess(abi.OptionProcesses, name, all)
		}
		add(name)
	}
	return wanted, nil
}

func unknownProcess(option, name string, known map[string]process) error {
	hint := "processes: " + strings.Join(abi.SortedKeys(known), ", ")
	if near := abi.Nearest(name, abi.SortedKeys(known)); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "? " + hint
	}
	return &abi.Error{Code: abi.CodeInvalid, Option: option, Message: "unknown process " + strconv.Quote(name), Hint: hint}
}

func (s *supervisor) find(name string) *supervised {
	for _, p := range s.all {
		if p.name == name {
			return p
		}
	}
	return nil
}

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

// await waits for the next event and handles it.
func (s *supervisor) await(ctx backend.Context) {
	timeout := s.next()
	news, err := backend.Wait(ctx, abi.ProcessWaitRequest{TimeoutMS: timeout, Clock: timeout > 0, Keys: s.keys()})
	if err != nil {
		s.end(err)
		for _, p := range s.all {
			p.state = over // the host ends what runs
		}
		return
	}
	s.pass(news.WaitedMS)
	switch {
	case news.Interrupted:
		s.end(abi.NewError(abi.CodeInterrupted, "the processes were interrupted"))
	case news.Exited != nil:
		if p := s.byID(news.Exited.ID); p != nil {
			s.exited(ctx, p, news.Exited)
		}
	case news.Ready != nil:
		if p := s.byID(news.Ready.ID); p != nil && p.state == starting {
			p.becomeReady()
		}
	case news.Changed != nil:
		s.changed(ctx, news.Changed)
	case news.Typed != nil:
		s.typed(ctx, news.Typed)
	}
}

// changed restarts the process that watches changed files, unless it starts later anyway.
func (s *supervisor) changed(ctx backend.Context, files *abi.FilesChanged) {
	for _, p := range s.all {
		if p.watchID != files.ID || s.ending || p.state == waiting || p.again {
			continue
		}
		what := strings.Join(files.Paths, ", ")
		if n := len(files.Paths); n > 3 || files.More {
			what = strings.Join(files.Paths[:min(n, 3)], ", ") + " and others"
		}
		backend.Log(ctx, abi.LevelInfo, p.name+" restarts: "+what+" changed")
		s.restart(ctx, p)
	}
}

func (s *supervisor) byID(id int) *supervised {
	for _, p := range s.all {
		if p.alive() && p.id == id {
			return p
		}
	}
	return nil
}

// next returns the time until something is due, 0 for none.
func (s *supervisor) next() int64 {
	var next int64
	for _, p := range s.all {
		for _, due := range []int64{p.pause, p.probe, p.left} {
			if due > 0 && (next == 0 || due < next) {
				next = due
			}
		}
	}
	return next
}

// pass lets time pass.
func (s *supervisor) pass(ms int64) {
	for _, p := range s.all {
		late := p.left > 0 && p.left <= ms
		for _, due := range []*int64{&p.pause, &p.probe, &p.left} {
			*due = max(*due-ms, 0)
		}
		if late && !s.ending {
			e := abi.NewError(abi.CodeTimeout, p.name+" was not ready within "+duration.Format(milliseconds(p.process.Ready.Timeout, defaultReady)))
			e.Hint = "give it more time with dev.processes." + p.name + ".ready.timeout"
			s.end(e)
		}
	}
}

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

// settled reports whether nothing runs and nothing will.
func (s *supervisor) settled() bool {
	for _, p := range s.all {
		if p.alive() || !s.ending && p.state != done && p.state != over {
			return false
		}
	}
	return true
}

// tellReady tells the user once when all are ready.
func (s *supervisor) tellReady(ctx backend.Context) {
	if s.told || s.ending {
		return
	}
	var ready []abi.ReadyProcess
	for _, p := range s.all {
		switch {
		case !p.wasReady || p.Once && p.state != done:
			return
		case !p.Once:
			ready = append(ready, abi.ReadyProcess{Name: p.name, URL: p.URL})
		}
	}
	s.told = true
	if len(ready) > 0 {
		if err := backend.Ready(ctx, ready...); err != nil {
			s.end(err)
		}
	}
}
