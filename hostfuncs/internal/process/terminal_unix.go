//go:build unix

package process

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// terminal is the terminal's state before a child shared it.
type terminal struct {
	state      *term.State
	foreground bool // our group had it
}

func saveTerminal(shared bool) terminal {
	if !shared {
		return terminal{}
	}
	// If its state cannot be read, the terminal is left as it is.
	state, err := term.GetState(int(os.Stdin.Fd()))
	if err != nil {
		return terminal{}
	}
	return terminal{state, foreground() == unix.Getpgrp()}
}

// restore restores the terminal as a shell would. If the shell put another group in
// the foreground, it stays there.
func (t terminal) restore() {
	if t.state == nil || !t.foreground {
		return
	}
	if group := foreground(); group != unix.Getpgrp() {
		if group <= 1 || !errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) || takeForeground() != nil {
			return
		}
	}
	_ = term.Restore(int(os.Stdin.Fd()), t.state)
}

func foreground() int {
	group, err := unix.IoctlGetInt(int(os.Stdin.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return -1
	}
	return group
}

func takeForeground() error {
	// SIGTTOU would stop us if we are in the background.
	if !signal.Ignored(syscall.SIGTTOU) {
		signal.Ignore(syscall.SIGTTOU)
		defer signal.Reset(syscall.SIGTTOU)
	}
	return unix.IoctlSetPointerInt(int(os.Stdin.Fd()), unix.TIOCSPGRP, unix.Getpgrp())
}
