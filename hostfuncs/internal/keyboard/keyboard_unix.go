//go:build unix

package keyboard

import (
	"bytes"
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// maxLine bounds a line, in bytes. A terminal has at most 4096 in its usual mode.
const maxLine = 4096

// Keyboard is the terminal of standard input.
type Keyboard struct{ fd int }

// Open returns nil if standard input is not a terminal.
func Open() *Keyboard {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return nil
	}
	return &Keyboard{fd}
}

// Lines reads lines until stop is called, which waits for the end of the reader, or the
// terminal is gone.
func (k *Keyboard) Lines() (lines <-chan string, stop func()) {
	out := make(chan string)
	wake, waker, err := os.Pipe()
	if err != nil {
		return out, func() {}
	}
	var reader sync.WaitGroup
	done := make(chan struct{})
	reader.Go(func() {
		defer wake.Close()
		for {
			line, ok := k.line(int(wake.Fd()))
			if !ok {
				return
			}
			select {
			case out <- line:
			case <-done:
				return
			}
		}
	})
	return out, func() {
		close(done)
		waker.Close()
		reader.Wait()
	}
}

// line waits for a line; ok is false if wake was closed or the terminal is gone.
func (k *Keyboard) line(wake int) (line string, ok bool) {
	for {
		// A process of the background that reads is stopped by SIGTTIN, so it only waits
		// to be woken, and looks again now and then.
		ready, timeout := []int{wake, k.fd}, (*unix.Timeval)(nil)
		if !k.foreground() {
			ready, timeout = ready[:1], &unix.Timeval{Usec: 500_000}
		}
		var set unix.FdSet
		set.Zero()
		for _, fd := range ready {
			set.Set(fd)
		}
		n, err := unix.Select(max(wake, k.fd)+1, &set, nil, nil, timeout)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil || set.IsSet(wake):
			return "", false
		case n == 0 || !k.foreground():
			continue
		}
		data := make([]byte, maxLine)
		n, err = unix.Read(k.fd, data)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		case err != nil || n <= 0: // end of file, or the terminal is gone
			return "", false
		default:
			return string(bytes.TrimRight(data[:n], "\r\n")), true
		}
	}
}

// foreground reports whether our process group may read.
func (k *Keyboard) foreground() bool {
	group, err := unix.IoctlGetInt(k.fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
