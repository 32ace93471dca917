package main

import (
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
