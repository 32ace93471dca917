package sandbox

import (
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// Ahead is the process for a module, started before the module is loaded. It has nothing
// of the module: only [Open] sends that.
type Ahead struct {
	dir     string
	started chan struct{} // closed once the fields below are set
	process *process      // nil if it could not be started, or is a Module's
}

// Start starts the process for a module with Options.Digest, beside what the caller does
// meanwhile. The caller closes it after [Open], which gets it in Options.Ahead.
func Start(opts Options) *Ahead {
	a := &Ahead{started: make(chan struct{})}
	go func() {
		defer close(a.started)
		// Open reports errors, since it tries again.
		l := launch{name: frame.ProgramName, space: opts.Limits.withDefaults().space()}
		if dir, _ := cacheDir(opts.CacheDir, opts.Digest, nil); dir != "" {
			l.copies = filepath.Dir(dir)
			if isComplete(dir) {
				l.dir = dir
			}
		}
		a.dir = l.dir
		a.process, _ = startProcess(opts.Helper, l)
	}()
	return a
}

// take waits for the start, and gives the process away if it was started for a directory.
func (a *Ahead) take(dir string) *process {
	if a == nil {
		return nil
	}
	<-a.started
	p := a.process
	if p == nil || a.dir != dir {
		return nil
	}
	a.process = nil
	return p
}

// Close waits for the start and ends the process, unless a Module has it. Closing nil does
// nothing.
func (a *Ahead) Close() {
	if a == nil {
		return
	}
	<-a.started
	if a.process != nil {
		a.process.end(nil)
		a.process.wait()
		a.process = nil
	}
}
