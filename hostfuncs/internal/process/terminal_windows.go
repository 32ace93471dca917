package process

import (
	"os"

	"golang.org/x/term"
)

func stdinIsTerminal() bool { return term.IsTerminal(int(os.Stdin.Fd())) }

// terminal is the console's mode before a child shared it.
type terminal struct{ state *term.State }

func saveTerminal(shared bool) terminal {
	if !shared {
		return terminal{}
	}
	// A console that does not tell its mode is left as it is.
	state, _ := term.GetState(int(os.Stdin.Fd()))
	return terminal{state}
}

func (t terminal) restore() {
	if t.state != nil {
		_ = term.Restore(int(os.Stdin.Fd()), t.state)
	}
}
