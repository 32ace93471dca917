package session

import (
	"fmt"
	"io"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Reporter shows what happens during a run. A session calls one method at a time.
type Reporter interface {
	// Log shows a message of the provider, which has no control characters.
	Log(provider string, level abi.Level, message string)
	// Warn shows a problem that does not end the run.
	Warn(error)
	// Call shows a finished call through the gate.
	Call(*Record)
	// Waiting shows that a run has waited for a second for a provider to be loaded, which
	// takes as long on a busy machine only, or to be compiled, which happens once.
	Waiting(provider string, compiled bool)
	// Confined shows how the commands of the run are confined.
	Confined(to string)
	// Progress returns where builds show their progress, a terminal if there is one.
	Progress() io.Writer
}

// textReporter is the default. It writes plain lines without masked values.
type textReporter struct {
	w    io.Writer
	mask *Mask
}

func (r *textReporter) Log(provider string, level abi.Level, message string) {
	if level != abi.LevelDebug {
		fmt.Fprintf(r.w, "%s: %s\n", provider, r.mask.Text(message))
	}
}

func (r *textReporter) Warn(err error) {
	fmt.Fprintf(r.w, "warning: %s\n", r.mask.Text(termtext.Clean(err.Error())))
}

func (*textReporter) Call(*Record) {}

func (r *textReporter) Waiting(provider string, compiled bool) {
	what := "loading provider %s\n"
	if compiled {
		what = "compiling provider %s, once\n"
	}
	fmt.Fprintf(r.w, what, provider)
}

func (*textReporter) Confined(string) {}

func (r *textReporter) Progress() io.Writer { return r.w }

// serialReporter serialises calls, since commands are watched in another goroutine.
type serialReporter struct {
	Reporter
	mu sync.Mutex
}

func (r *serialReporter) Log(provider string, level abi.Level, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Log(provider, level, message)
}

func (r *serialReporter) Warn(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Warn(err)
}

func (r *serialReporter) Call(rec *Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Call(rec)
}

func (r *serialReporter) Waiting(provider string, compiled bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Waiting(provider, compiled)
}

func (r *serialReporter) Confined(to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Confined(to)
}
