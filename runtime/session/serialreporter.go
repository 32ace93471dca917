package session

import (
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
)

// serialReporter calls a reporter's methods one after another: what is watched
// while a command runs is told of by another goroutine.
type serialReporter struct {
	Reporter
	mu sync.Mutex
}

// Log implements [Reporter].
func (r *serialReporter) Log(provider string, level abi.Level, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Log(provider, level, message)
}

// Warn implements [Reporter].
func (r *serialReporter) Warn(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Warn(err)
}

// Call implements [Reporter].
func (r *serialReporter) Call(rec *hostfuncs.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Call(rec)
}

// Confined implements [Reporter].
func (r *serialReporter) Confined(to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Reporter.Confined(to)
}
