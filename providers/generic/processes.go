package main

import (
	"cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// process is one of dev.processes.
type process struct {
	program
	// Once means that it ends by itself, such as a migration.
	Once      bool
	Ready     *ready
	DependsOn map[string]string // a name to a condition
	Stop      stop
	Watch     *watch
	Restart   restart
	URL       string
}

func (p *process) Fields() []abi.Field {
	return append(p.program.fields(), []abi.Field{
		{Name: "once", To: &p.Once},
		{Name: "ready", To: abi.Optional(&p.Ready)},
		{Name: "depends_on", To: &p.DependsOn},
		{Name: "stop", To: &p.Stop},
		{Name: "watch", To: abi.Optional(&p.Watch)},
		{Name: "restart", To: &p.Restart},
		{Name: "url", To: &p.URL},
	}...)
}

// The conditions of depends_on.
const (
	whenStarted = "started"
	whenReady   = "ready"
	whenDone    = "done"
)

// ready says when a process is ready. One of the first four is set.
type ready struct {
	TCP     int
	HTTP    *readyHTTP
	Log     string
	Exec    []string
	Timeout string
}

func (r *ready) Fields() []abi.Field {
	return []abi.Field{
		{Name: "tcp", To: &r.TCP},
		{Name: "http", To: abi.Optional(&r.HTTP)},
		{Name: "log", To: &r.Log},
		{Name: "exec", To: &r.Exec},
		{Name: "timeout", To: &r.Timeout},
	}
}

type readyHTTP struct {
	Port, Status int
	Path         string
}

func (r *readyHTTP) Fields() []abi.Field {
	return []abi.Field{{Name: "port", To: &r.Port}, {Name: "path", To: &r.Path}, {Name: "status", To: &r.Status}}
}

type stop struct{ Signal, Grace string }

func (s *stop) Fields() []abi.Field {
	return []abi.Field{{Name: "signal", To: &s.Signal}, {Name: "grace", To: &s.Grace}}
}

// watch says which files the process is restarted for.
type watch struct {
	Paths, Ignore    []string
	Action, Debounce string
}

func (w *watch) Fields() []abi.Field {
	return []abi.Field{
		{Name: "paths", To: &w.Paths},
		{Name: "ignore", To: &w.Ignore},
		{Name: "action", To: &w.Action},
		{Name: "debounce", To: &w.Debounce},
	}
}

type restart struct {
	When, Backoff string
	Max           *int
}

func (r *restart) Fields() []abi.Field {
	return []abi.Field{{Name: "when", To: &r.When}, {Name: "max", To: abi.Optional(&r.Max)}, {Name: "backoff", To: &r.Backoff}}
}

// The values of restart.when.
const (
	never     = "never"
	onFailure = "on-failure"
	always    = "always"
)

const (
	defaultReady   = 60 * duration.Second
	defaultBackoff = duration.Second
	defaultMax     = 5
	maxBackoff     = 60 * duration.Second
	maxGrace       = 10 * duration.Second // what the host gives
)

// programs are the command, or the processes and what asks whether they are ready.
func (d *dev) programs() []program {
	if d.Processes == nil {
		if len(d.Command) == 0 {
			return nil
		}
		return []program{d.program}
	}
	var all []program
	for _, name := range abi.SortedKeys(d.Processes) {
		p := d.Processes[name]
		if len(p.Command) > 0 {
			all = append(all, p.program)
		}
		if p.Ready != nil && len(p.Ready.Exec) > 0 {
			asks := p.program
			asks.Command = p.Ready.Exec
			all = append(all, asks)
		}
	}
	return all
}

// milliseconds is the duration of a text, or a default.
func milliseconds(text string, or int64) int64 {
	ms, _ := duration.Parse(text)
	return cmp.Or(ms, or)
}
