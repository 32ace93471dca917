package process

import (
	"os"
	"syscall"
)

// Interrupted is the cause, for [context.WithCancelCause], that ends a tree by
// passing a signal on.
type Interrupted struct {
	// Signal is passed on first. A SIGINT or SIGHUP that our whole process group
	// got, the tree with it, is not repeated; SIGTERM follows after half of the grace.
	Signal syscall.Signal
	// Kill, once closed, kills the tree without waiting. It may be nil.
	Kill <-chan struct{}
	// Stopped says that this is no end of the whole run: a provider stops one
	// program.
	Stopped bool
}

// NewInterrupted is the cause for a signal that this process got. A signal of
// a kind that the system does not know is passed on as SIGINT.
func NewInterrupted(sig os.Signal, kill <-chan struct{}) *Interrupted {
	number, ok := sig.(syscall.Signal)
	if !ok {
		number = syscall.SIGINT
	}
	return &Interrupted{Signal: number, Kill: kill}
}

func (*Interrupted) Error() string { return "interrupted" }

// Interrupts marks the cause as one that the gate reports as an interruption.
func (*Interrupted) Interrupts() {}
