// Package children registers the processes that this program starts and waits for
// itself. Code that looks for processes left behind by commands skips them.
package children

import "sync"

var known struct {
	mu   sync.RWMutex
	pids map[int]bool
}

// Start calls fork and registers the process. [Known] waits meanwhile, so it cannot see the
// process before it is registered.
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

// Ended removes a process that has been waited for.
func Ended(pid int) {
	known.mu.Lock()
	defer known.mu.Unlock()
	delete(known.pids, pid)
}

// Known reports whether a process is registered.
func Known(pid int) bool {
	known.mu.RLock()
	defer known.mu.RUnlock()
	return known.pids[pid]
}
