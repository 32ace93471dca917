//go:build unix

package process

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

const errExecFormat = syscall.ENOEXEC

// batchFiles says that cmd.exe runs some programs.
const batchFiles = false

func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

func hasSeparator(name string) bool { return strings.Contains(name, "/") }

func isExecutable(info fs.FileInfo) bool { return info.Mode()&0o111 != 0 }

// mayExecute asks the system, which knows users and groups. Errors other than a
// denial are left to the start.
func mayExecute(file string) bool {
	err := unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS)
	return !errors.Is(err, fs.ErrPermission)
}

// candidates are the names that a program's file may have.
func candidates(file string) []string { return []string{file} }

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
