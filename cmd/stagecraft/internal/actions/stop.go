package actions

import (
	"crypto/rand"
	"sync"
)

// Stop has the runner take no line for a command until resume is called, and
// hold back what [Workflow.Error] and [Workflow.Warning] are given until then.
// Of stops within each other the outermost counts. A second call of resume does
// nothing.
//
// Call resume only when all that was started has ended and its output has been
// written: there is one state for both of the step's streams. The state ends
// with the step.
func (w *Workflow) Stop() (resume func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stops == 0 {
		// 130 bits: what is printed in between can't end the stop by guessing.
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
	for _, line := range w.held {
		w.command(line)
	}
	w.held = nil
}
