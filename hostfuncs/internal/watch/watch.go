// Package watch reports changes of a project's files.
//
// A watch keeps a state of each file that its patterns match: size, time of the last
// modification, identity. The system's events only say where to look; a change is a state
// that differs, or a write. So lost, doubled and misattributed events do no harm, files
// that an editor creates and removes while it saves are not reported, and where there are
// no events, looking again from time to time has the same result.
//
// # Links
//
// All directories are opened from the project directory without following links. A link
// to something in the project is resolved, and what it leads to is watched under the
// link's path. One that leads elsewhere counts as a file itself.
package watch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// MaxPaths is the most paths of a [Change].
const MaxPaths = 20

// Options say what is watched.
type Options struct {
	Project *files.Project
	// Paths are what is watched, and Ignore what of that is not. A directory that Ignore
	// matches is ignored with all that is in it.
	Paths, Ignore []capability.FilePattern
	// Debounce is how long nothing has to change before changes are reported. If changes
	// go on, they are reported after ten times as long.
	Debounce time.Duration
	// Keep reports whether a change may be reported, by its path with links resolved.
	Keep func(path string) bool
	// Changed is called when there is something to [Watch.Take]. It must not block.
	Changed func()
	Warn    func(error)
}

// Change is what changed since the last one.
type Change struct {
	// Paths are the first of the changed paths, sorted, relative to the project, with
	// slashes. More says that there are others.
	Paths []string
	More  bool
}

// Watch watches files until it is closed. It is safe for concurrent use.
type Watch struct {
	opts  Options
	tree  *tree
	quiet quiet

	stop  context.CancelFunc
	group sync.WaitGroup

	mu    sync.Mutex
	ready Change
}

// Start begins to watch. Each change after its return is reported. ctx bounds the first
// look at the files.
//
// # Errors
//
// The project directory cannot be opened; the cause of ctx. If the system cannot report
// events, files are looked at from time to time, with a warning.
func Start(ctx context.Context, opts Options) (*Watch, error) {
	root, err := safefile.NewDir(opts.Project.Root())
	if err != nil {
		return nil, fmt.Errorf("cannot watch the project directory: %w", err)
	}
	w := &Watch{opts: opts, quiet: quiet{debounce: opts.Debounce}}
	w.tree = newTree(root, opts)
	w.tree.begin(ctx)
	if ctx.Err() != nil {
		w.tree.close()
		return nil, context.Cause(ctx)
	}
	w.tree.warnOfTools()
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop, w.tree.ctx = stop, running
	w.group.Go(func() { w.run(running) })
	return w, nil
}

// Take returns what changed since the last call, and false if nothing did.
func (w *Watch) Take() (Change, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.ready
	w.ready = Change{}
	return c, len(c.Paths) > 0
}

// Ready reports whether Take would return a change.
func (w *Watch) Ready() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.ready.Paths) > 0
}

// Close ends the watch, and waits until nothing of it is left.
func (w *Watch) Close() {
	w.stop()
	w.group.Wait()
}

// run looks at files when something happens to them.
func (w *Watch) run(ctx context.Context) {
	defer w.tree.close()
	var due <-chan time.Time
	poll := time.After(w.tree.pause)
	for {
		var hints <-chan struct{}
		polled := poll
		if w.tree.events != nil {
			hints, polled = w.tree.events.wake, nil
		}
		select {
		case <-ctx.Done():
			return
		case <-due:
			w.quiet = quiet{debounce: w.opts.Debounce}
			due = nil
			w.report()
			continue
		case <-hints:
			w.tree.follow()
		case <-polled:
			w.tree.lookAgain()
			poll = time.After(w.tree.pause)
		}
		w.tree.warnOfTools()
		if w.tree.touched {
			w.tree.touched = false
			due = time.After(w.quiet.touch(time.Now()))
		}
	}
}

// quiet measures how long nothing changed.
type quiet struct {
	debounce time.Duration
	first    time.Time // of the changes that are not reported yet
}

// most is how many times the debounce time changes wait if they go on.
const most = 10

// touch says how long to wait after a change.
func (q *quiet) touch(now time.Time) time.Duration {
	if q.first.IsZero() {
		q.first = now
	}
	return max(0, min(q.debounce, q.first.Add(most*q.debounce).Sub(now)))
}
