// Package children knows which processes this program has started and waits for
// by itself, so that what looks for processes left behind takes none of them for
// one.
package children

import "sync"

var known struct {
	mu   sync.RWMutex
	pids map[int]bool
}

// Start starts a process. Nobody who asks for it meanwhile gets an answer before
// it is known.
func Start(fork func() (pid int, err error)) error {
	known.mu.Lock()
	defer known.mu.Unlock()
	pid, err := fork()
	if err != nil {
		return err
	}
	if known.pids == nil {
		known.pids = make(map[int]bool)
	}
	known.pids[pid] = true
	return nil
}

// Ended forgets a process that has been waited for.
func Ended(pid int) {
	known.mu.Lock()
	defer known.mu.Unlock()
	delete(known.pids, pid)
}

// Known reports whether a process is one of them.
func Known(pid int) bool {
	known.mu.RLock()
	defer known.mu.RUnlock()
	return known.pids[pid]
}
