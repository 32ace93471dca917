// Package actions writes to the runner of GitHub Actions: annotations, sections
// without commands, and the step's summary.
//
// The runner reads a step's standard output and standard error line by line, and
// executes "::name key=value::data" at the start of a line, and the older
// "##[name key=value]data" anywhere in it. So anything whose output we print could
// run commands. The format is documented at
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands;
// the exact rules are in the runner's source, github.com/actions/runner:
// src/Runner.Common/ActionCommand.cs and src/Runner.Worker/ActionCommandManager.cs.
package actions

import (
	"crypto/rand"
	"io"
	"slices"
	"strings"
	"sync"
)

// Enabled reports whether environ, "NAME=value" each, is that of a step of GitHub
// Actions.
func Enabled(environ []string) bool { return getenv(environ, "GITHUB_ACTIONS") == "true" }

// Workflow is an output stream that the runner reads. While commands are stopped, all
// output must go through Write: the runner reads standard output and standard error
// separately, and may handle lines of one before older lines of the other. It is safe
// for concurrent use.
type Workflow struct {
	workspace string // GITHUB_WORKSPACE, may be empty
	summary   string // GITHUB_STEP_SUMMARY
	dir       string

	mu        sync.Mutex
	w         io.Writer
	lineStart bool // whether the next byte begins a line
	stops     int  // unresumed stops
	token     string
	pending   []string // commands to write when stops is 0
}

// New returns a Workflow that writes to w. Relative file names are relative to dir, an
// absolute path.
func New(w io.Writer, environ []string, dir string) *Workflow {
	return &Workflow{
		w: w, dir: dir,
		workspace: getenv(environ, "GITHUB_WORKSPACE"), summary: getenv(environ, "GITHUB_STEP_SUMMARY"),
	}
}

// getenv returns the value of a variable; the last of several counts.
func getenv(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// Write writes text unchanged. Untrusted text must be written between [Workflow.Stop]
// and its end, or pass [Defang].
func (w *Workflow) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.w.Write(p)
	if n > 0 {
		w.lineStart = p[n-1] == '\n'
	}
	return n, err
}

// command writes a command on a line of its own: in the middle of a line the runner
// would not see it. Errors cannot be reported anywhere.
func (w *Workflow) command(line string) {
	if !w.lineStart {
		line = "\n" + line
	}
	_, _ = io.WriteString(w.w, line+"\n")
	w.lineStart = true
}

// Stop keeps the runner from executing commands until resume is called, and delays
// [Workflow.Error] and [Workflow.Warning] until then. Stops may be nested. A second
// call of resume does nothing.
//
// Call resume only after all processes have ended and their output is written: both
// streams of the step share the state, which ends with the step.
func (w *Workflow) Stop() (resume func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stops == 0 {
		// 130 bits, so that printed text cannot end the stop by guessing.
		w.token = rand.Text()
		w.command("::stop-commands::" + w.token)
	}
	w.stops++
	return sync.OnceFunc(w.resume)
}

func (w *Workflow) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stops--; w.stops > 0 {
		return
	}
	w.command("::" + w.token + "::")
	for _, line := range w.pending {
		w.command(line)
	}
	w.pending = nil
}
