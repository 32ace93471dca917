//go:build unix

package process

import (
	"errors"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// openTerminal opens a terminal: our end and the program's.
func openTerminal(size func() (columns, rows int)) (near, far *os.File, err error) {
	near, far, err = pty.Open()
	if err != nil {
		return nil, nil, err
	}
	if near, err = withDeadlines(near); err == nil {
		err = plainOutput(far)
	}
	if err != nil {
		near.Close()
		far.Close()
		return nil, nil, err
	}
	_ = resize(near, size) // a program can do without
	return near, far, nil
}

func resize(near *os.File, size func() (columns, rows int)) error {
	columns, rows := size()
	conn, err := near.SyscallConn()
	if err != nil {
		return err
	}
	var sizeErr error
	err = conn.Control(func(fd uintptr) {
		sizeErr = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(rows), Col: uint16(columns)})
	})
	if err != nil {
		return err
	}
	return sizeErr
}

// plainOutput leaves line ends as the program writes them, so that a value of several
// lines is found and masked, and echoes nothing.
func plainOutput(far *os.File) error {
	mode, err := unix.IoctlGetTermios(int(far.Fd()), getMode)
	if err != nil {
		return os.NewSyscallError("ioctl", err)
	}
	mode.Oflag &^= unix.ONLCR
	mode.Lflag &^= unix.ECHO
	return os.NewSyscallError("ioctl", unix.IoctlSetTermios(int(far.Fd()), setMode, mode))
}

// terminalEnded reports whether an error says that no process has a terminal open any
// more.
func terminalEnded(err error) bool { return errors.Is(err, unix.EIO) }
