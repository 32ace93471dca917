package sandbox

import "strconv"

// LoadError says why bytes are no module that can run here.
type LoadError struct{ Reason string }

func (e *LoadError) Error() string { return e.Reason }

// LimitError says that a module was stopped because it reached a bound.
type LimitError struct{ What, Limit string }

func (e *LimitError) Error() string {
	return "stopped: its " + e.What + " is limited to " + e.Limit
}

// CrashError says that a module failed by itself.
type CrashError struct{ Reason string }

func (e *CrashError) Error() string { return "crashed: " + e.Reason }

func count(n int) string { return strconv.Itoa(n) }
