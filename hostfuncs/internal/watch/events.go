package watch

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// events collects events of the system. A goroutine of its own always takes them, because
// on Windows a directory can be added only while somebody does.
type events struct {
	system *fsnotify.Watcher
	done   chan struct{}
	wake   chan struct{} // there are hints

	// users counts what needs the events of a directory, and added has the directories
	// whose events come.
	users map[string]int
	added map[string]bool

	mu    sync.Mutex
	hints hints
}

// hints say where to look.
type hints struct {
	written map[string]bool // absolute paths with events, and whether something was written
	lost    bool            // events were lost
	errors  int             // since the last event
}

// maxHints is how many paths are collected. With more, everything is looked at.
const maxHints = 1 << 16

// maxErrors is how many errors without an event in between mean that there are no events.
const maxErrors = 100

func newEvents() (*events, error) {
	system, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	e := &events{
		system: system, done: make(chan struct{}), wake: make(chan struct{}, 1), users: make(map[string]int), added: make(map[string]bool),
		hints: hints{written: make(map[string]bool)},
	}
	go e.collect()
	return e, nil
}

// close returns when nothing of the events is left.
func (e *events) close() {
	_ = e.system.Close()
	<-e.done
}

func (e *events) collect() {
	defer close(e.done)
	for {
		select {
		case event, ok := <-e.system.Events:
			if !ok {
				return
			}
			e.add(event)
		case _, ok := <-e.system.Errors:
			if !ok {
				return
			}
			e.mu.Lock()
			e.hints.lost = true
			e.hints.errors++
			e.mu.Unlock()
		}
		select {
		case e.wake <- struct{}{}:
		default:
		}
	}
}

func (e *events) add(event fsnotify.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hints.errors = 0
	name := filepath.Clean(event.Name)
	if len(e.hints.written) >= maxHints {
		e.hints.lost = true
		return
	}
	// A file that is created may have the state of the one before it.
	e.hints.written[name] = e.hints.written[name] || event.Has(fsnotify.Write) || event.Has(fsnotify.Create)
}

// take returns the hints since the last call.
func (e *events) take() hints {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := e.hints
	e.hints = hints{written: make(map[string]bool), errors: h.errors}
	return h
}

// watch asks for the events of a directory.
func (t *tree) watch(real string) {
	if t.events == nil {
		return
	}
	t.events.users[real]++
	t.watchAgain(real)
}

// watchAgain asks for the events of a directory if they do not come.
func (t *tree) watchAgain(real string) {
	e := t.events
	if e == nil || e.users[real] == 0 || e.added[real] {
		return
	}
	err := e.system.Add(t.abs(real))
	switch {
	case err == nil && perFile > 0 && t.files > perFile:
		t.lookFromTimeToTime(errTooMany)
	case err == nil:
		e.added[real] = true
	case (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || isNoDirectory(err)) && real != ".":
		// The directory above has the event of its creation.
	default:
		t.lookFromTimeToTime(err)
	}
}

// unwatch says that one user needs the events of a directory no more.
func (t *tree) unwatch(real string) {
	if t.events == nil {
		return
	}
	if t.events.users[real]--; t.events.users[real] == 0 {
		delete(t.events.users, real)
		t.events.forget(t, real)
	}
}

// forget ends the events of a directory. It may be gone already.
func (e *events) forget(t *tree, real string) {
	if e.added[real] {
		delete(e.added, real)
		_ = e.system.Remove(t.abs(real))
	}
}

// follow looks where events were.
func (t *tree) follow() {
	h := t.events.take()
	if h.errors > maxErrors {
		t.lookFromTimeToTime(errors.New("the system reports only errors"))
	}
	if h.lost || t.events == nil {
		t.renew(".")
		t.lookAgain()
		return
	}
	renewed := t.renewed(h)
	looks := make(map[*node]map[string]bool)
	for abs, written := range h.written {
		real, inside := t.opts.Project.Rel(abs)
		if !inside || real == "." {
			continue
		}
		for _, n := range t.nodes[path.Dir(real)] {
			if looks[n] == nil {
				looks[n] = make(map[string]bool)
			}
			looks[n][path.Base(real)] = written
		}
		for at, way := range t.links {
			if slices.Contains(way, real) {
				t.lookAt(at, written)
			}
		}
	}
	for n, names := range looks {
		t.lookIn(n, names)
	}
	for _, real := range renewed {
		t.lookBelow(real)
	}
}

// lookIn looks at entries of a directory.
func (t *tree) lookIn(n *node, names map[string]bool) {
	if n.dropped {
		return
	}
	dir, err := t.open(n.real)
	if err != nil {
		return
	}
	if dir != nil {
		defer dir.Close()
	}
	for name, written := range names {
		t.look(dir, place{n, name}, written)
	}
}

// renewed renews the directories that something happened to, and lists them. After one
// was moved, the events of those in it come with their former names.
func (t *tree) renewed(h hints) []string {
	var all []string
	for abs := range h.written {
		if real, inside := t.opts.Project.Rel(abs); inside && t.events.users[real] > 0 {
			all = append(all, real)
		}
	}
	slices.Sort(all)
	var renewed []string
	for _, real := range all {
		if !slices.ContainsFunc(renewed, func(above string) bool { return within(above, real) }) {
			renewed = append(renewed, real)
		}
	}
	for _, real := range renewed {
		t.renew(real)
	}
	return renewed
}

// renew asks anew for the events of a directory and those in it.
func (t *tree) renew(real string) {
	if t.events == nil {
		return
	}
	below := slices.DeleteFunc(slices.Sorted(maps.Keys(t.events.users)), func(name string) bool { return !within(real, name) })
	for _, name := range below {
		t.events.forget(t, name)
	}
	for _, name := range below {
		t.watchAgain(name)
		if t.events == nil {
			return
		}
	}
}

// lookBelow looks at all files in a directory, and at links that lead into it.
func (t *tree) lookBelow(real string) {
	for _, name := range slices.Sorted(maps.Keys(t.nodes)) {
		if within(real, name) {
			for _, n := range slices.Clone(t.nodes[name]) {
				if n.parent == nil || !within(real, n.parent.real) {
					t.scan(n)
				}
			}
		}
	}
	for at, way := range t.links {
		if slices.ContainsFunc(way, func(name string) bool { return within(real, name) }) {
			t.lookAt(at, false)
		}
	}
}
