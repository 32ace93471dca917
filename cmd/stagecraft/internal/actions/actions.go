// Package actions speaks to the runner of GitHub Actions: annotations, a pause
// in which no line is a command, and the step's summary.
//
// The runner reads a step's standard output and standard error line by line,
// and takes "::name key=value::data" at the start of a line, and the older
// "##[name key=value]data" anywhere in it, for commands. So whoever can print
// through us could give orders in our name. The format is documented at
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands;
// what is really read is in the runner's source, github.com/actions/runner:
// src/Runner.Common/ActionCommand.cs and src/Runner.Worker/ActionCommandManager.cs.
package actions

import (
	"io"
	"slices"
	"strings"
	"sync"
)

// Enabled tells whether the environment, "NAME=value" each, is that of a step
// of GitHub Actions.
func Enabled(environ []string) bool { return getenv(environ, "GITHUB_ACTIONS") == "true" }

// Workflow is a stream that the runner reads, and what is said to the runner
// through it. All that is printed while commands are stopped has to go through
// Write, and to no other stream: the runner reads standard output and standard
// error each on its own, and handles lines of one before older lines of the
// other. Its methods may be called at the same time.
type Workflow struct {
	workspace string // GITHUB_WORKSPACE, empty when there is none
	summary   string // GITHUB_STEP_SUMMARY
	dir       string

	mu        sync.Mutex
	w         io.Writer
	lineStart bool // whether the next byte begins a line
	stops     int  // how many stops are in force
	token     string
	held      []string // commands that wait until stops is 0
}

// New makes a Workflow that prints to w. Files with a relative name are taken
// to stand in dir, an absolute path.
func New(w io.Writer, environ []string, dir string) *Workflow {
	return &Workflow{
		w: w, dir: dir,
		workspace: getenv(environ, "GITHUB_WORKSPACE"), summary: getenv(environ, "GITHUB_STEP_SUMMARY"),
	}
}

// getenv is the value of a variable; the last of several counts.
func getenv(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// Write passes text on as it is. What comes from elsewhere is written between
// [Workflow.Stop] and its end, or is made harmless by [Defang].
func (w *Workflow) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.w.Write(p)
	if n > 0 {
		w.lineStart = p[n-1] == '\n'
	}
	return n, err
}

// command prints a line of its own. Where it isn't known that a line begins
// here, one is begun: in the middle of a line a command would be text, and a
// stop that isn't seen stops nothing. There is no place to report an error to.
func (w *Workflow) command(line string) {
	if !w.lineStart {
		line = "\n" + line
	}
	_, _ = io.WriteString(w.w, line+"\n")
	w.lineStart = true
}
