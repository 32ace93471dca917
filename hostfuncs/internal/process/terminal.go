package process

import (
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// Terminal is a terminal of a program's own: a pseudo-terminal whose other end we have.
// Nothing is ever typed there, so a program that reads it waits.
type Terminal struct {
	// Size returns the size that the terminal is to have.
	Size func() (columns, rows int)

	mu   sync.Mutex
	near *os.File // our end; nil before the start and after the end
}

// Resize gives the terminal its size anew. The system tells the program if that changed.
func (t *Terminal) Resize() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.near != nil {
		_ = resize(t.near, t.Size)
	}
}

// attach makes Resize change a terminal, and nil makes it do nothing.
func (t *Terminal) attach(near *os.File) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.near = near
}

// withTerminal returns a command that may use a terminal which is open at a path, and is
// not reported to use it.
func (c Command) withTerminal(path string) Command {
	if c.Confine != nil {
		rules := *c.Confine
		rules.Write = append(slices.Clip(rules.Write), path)
		c.Confine = &rules
	}
	if c.Watcher != nil {
		c.Watcher = terminalWatcher{c.Watcher, path}
	}
	return c
}

// terminalWatcher leaves out the program's own terminal, whose name is another one in
// each run.
type terminalWatcher struct {
	Watcher
	path string
}

// Used implements [Watcher]. Programs search the terminal's directory for its name.
func (w terminalWatcher) Used(u confine.Use) {
	if u.Path != w.path && (u.Kind != confine.UseList || u.Path != filepath.Dir(w.path)) {
		w.Watcher.Used(u)
	}
}
