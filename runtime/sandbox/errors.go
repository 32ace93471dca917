package sandbox

import "github.com/stagecraft-dev/stagecraft/internal/termtext"

// LoadError says why bytes are not a module that can run here.
type LoadError struct{ Reason string }

func (e *LoadError) Error() string { return e.Reason }

// LimitError says that a module was stopped because it reached a bound.
type LimitError struct {
	What, Limit string
	Bound       Bound
}

// Bound is a field of [Limits] that can be raised for a module that needs more.
type Bound int

// The bounds of loading; zero is any other.
const (
	BoundLoad Bound = iota + 1
	BoundLoadMemory
)

func (e *LimitError) Error() string {
	return "stopped: its " + e.What + " is limited to " + e.Limit
}

// CrashError says that a module failed by itself.
type CrashError struct {
	Reason string
	// Output is the last line that the module printed, cleaned, if it is not the
	// reason itself.
	Output string
}

func (e *CrashError) Error() string {
	if e.Output == "" {
		return "crashed: " + e.Reason
	}
	return "crashed: " + e.Reason + " (it last printed: " + termtext.Line(e.Output, 300) + ")"
}
