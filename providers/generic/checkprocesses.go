package main

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// checkProcesses checks dev if it has processes.
func (d *dev) checkProcesses() []abi.Problem {
	c := checker{all: d.Processes}
	for _, key := range []struct {
		name string
		set  bool
	}{
		{"command", d.Command != nil}, {"workdir", d.Workdir != ""}, {"env", d.Env != nil}, {"env_files", d.EnvFiles != nil}, {"interactive", d.Interactive},
	} {
		if key.set {
			c.add("/dev/"+key.name, "excludes dev.processes", "set it in each process")
		}
	}
	if n := len(d.Processes); n == 0 || n > abi.MaxProcesses {
		c.add("/dev/processes", "has "+strconv.Itoa(n)+" processes, expected 1 to "+strconv.Itoa(abi.MaxProcesses), "")
	}
	for _, name := range abi.SortedKeys(d.Processes) {
		c.process(name, d.Processes[name])
	}
	c.cycles()
	return c.problems
}

// checker collects the problems of processes.
type checker struct {
	all      map[string]process
	problems []abi.Problem
}

func (c *checker) add(pointer, message, hint string) {
	c.problems = append(c.problems, abi.Problem{Pointer: pointer, Message: message, Hint: hint})
}

const (
	nameLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
	maxName     = 20 // letters
)

func (c *checker) process(name string, p process) {
	at := abi.UnderPointer("/dev/processes", name)
	if name == "" || len(name) > maxName || strings.Trim(name, nameLetters) != "" {
		c.problems = append(c.problems, abi.Problem{
			Pointer: at, Key: true, Message: strconv.Quote(name) + " is not a name for a process", Hint: "use up to 20 letters, digits, _, . and -",
		})
	}
	c.problems = append(c.problems, p.program.check(at)...)
	c.ready(at+"/ready", p.Ready)
	for _, other := range abi.SortedKeys(p.DependsOn) {
		c.dependency(abi.UnderPointer(at+"/depends_on", other), other, p.DependsOn[other])
	}
	c.oneOf(at+"/stop/signal", p.Stop.Signal, "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
	c.duration(at+"/stop/grace", p.Stop.Grace, maxGrace)
	if w := p.Watch; w != nil {
		if len(w.Paths) == 0 {
			c.add(at+"/watch/paths", "is required", `name files or patterns: paths: ["server/**"]`)
		}
		c.oneOf(at+"/watch/action", w.Action, "restart")
		c.duration(at+"/watch/debounce", w.Debounce, abi.MaxDebounceMS)
	}
	c.oneOf(at+"/restart/when", p.Restart.When, never, onFailure, always)
	if when := cmp.Or(p.Restart.When, never); when == never && (p.Restart.Max != nil || p.Restart.Backoff != "") {
		c.add(at+"/restart", "has max or backoff but never restarts", "add when: on-failure, or when: always")
	}
	if n := p.Restart.Max; n != nil && (*n < 1 || *n > 1000) {
		c.add(at+"/restart/max", strconv.Itoa(*n)+" is not from 1 to 1000", "")
	}
	c.duration(at+"/restart/backoff", p.Restart.Backoff, maxBackoff)
	if p.URL != "" && !strings.HasPrefix(p.URL, "http://") && !strings.HasPrefix(p.URL, "https://") {
		c.add(at+"/url", strconv.Quote(p.URL)+" is not a URL", "begin it with http:// or https://")
	}
}

func (c *checker) oneOf(pointer, text string, known ...string) {
	for _, k := range known {
		if text == k || text == "" {
			return
		}
	}
	hint := "expected " + known[0]
	if last := len(known) - 1; last > 0 {
		hint = "expected " + strings.Join(known[:last], ", ") + " or " + known[last]
	}
	if near := abi.Nearest(text, known); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "? " + hint
	}
	c.add(pointer, "unknown value "+strconv.Quote(text), hint)
}

func (c *checker) duration(pointer, text string, most int64) {
	if text == "" {
		return
	}
	ms, ok := duration.Parse(text)
	switch {
	case !ok || ms == 0:
		c.add(pointer, strconv.Quote(text)+" is not a duration", "write it as 500ms, 10s or 2m")
	case ms > most:
		c.add(pointer, strconv.Quote(text)+" is more than "+duration.Format(most), "")
	}
}

func (c *checker) ready(at string, r *ready) {
	if r == nil {
		return
	}
	set := 0
	for _, is := range []bool{r.TCP != 0, r.HTTP != nil, r.Log != "", r.Exec != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		c.add(at, "has "+strconv.Itoa(set)+" conditions, expected one of tcp, http, log and exec", "")
	}
	port := func(pointer string, port int) {
		if port < 1 || port > 65535 {
			c.add(pointer, strconv.Itoa(port)+" is not a port", "give a number from 1 to 65535")
		}
	}
	if r.TCP != 0 {
		port(at+"/tcp", r.TCP)
	}
	if h := r.HTTP; h != nil {
		port(at+"/http/port", h.Port)
		if h.Path != "" && h.Path[0] != '/' {
			c.add(at+"/http/path", strconv.Quote(h.Path)+" is not a path", "begin it with /")
		}
		if h.Status != 0 && (h.Status < 100 || h.Status > 599) {
			c.add(at+"/http/status", strconv.Itoa(h.Status)+" is not an HTTP status", "")
		}
	}
	if r.Exec != nil && (len(r.Exec) == 0 || r.Exec[0] == "") {
		c.add(at+"/exec", "is empty, expected a program and its arguments", "")
	}
	c.duration(at+"/timeout", r.Timeout, 3600*duration.Second)
}

// dependency checks that a process can depend on another with a condition.
func (c *checker) dependency(at, name, when string) {
	other, ok := c.all[name]
	if !ok {
		hint := "processes: " + strings.Join(abi.SortedKeys(c.all), ", ")
		if near := abi.Nearest(name, abi.SortedKeys(c.all)); near != "" {
			hint = "did you mean " + strconv.Quote(near) + "? " + hint
		}
		c.problems = append(c.problems, abi.Problem{Pointer: at, Key: true, Message: "unknown process " + strconv.Quote(name), Hint: hint})
		return
	}
	c.oneOf(at, cmp.Or(when, "empty"), whenStarted, whenReady, whenDone)
	switch {
	case when == whenDone && !other.Once:
		c.add(at, name+" does not end by itself", "use ready, or set once: true in "+name)
	case when == whenReady && other.Once && other.Ready == nil:
		c.add(at, name+" ends by itself and has no ready", "use done")
	}
}

// cycles finds processes that depend on themselves.
func (c *checker) cycles() {
	const visiting, visited = 1, 2
	state := make(map[string]int)
	var path []string
	var visit func(name string)
	visit = func(name string) {
		state[name], path = visiting, append(path, name)
		for _, other := range abi.SortedKeys(c.all[name].DependsOn) {
			switch _, known := c.all[other]; {
			case !known:
			case state[other] == visiting:
				begin := 0
				for path[begin] != other {
					begin++
				}
				c.add(abi.UnderPointer(abi.UnderPointer("/dev/processes", name)+"/depends_on", other),
					"is a cycle: "+strings.Join(append(path[begin:len(path):len(path)], other), " needs "), "remove one of the dependencies")
			case state[other] == 0:
				visit(other)
			}
		}
		state[name], path = visited, path[:len(path)-1]
	}
	for _, name := range abi.SortedKeys(c.all) {
		if state[name] == 0 {
			visit(name)
		}
	}
}
