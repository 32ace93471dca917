//go:build unix

package process

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// helpers are what this program can be as a child; each returns its exit code.
func helpers() map[string]func(args []string) int {
	return map[string]func([]string) int{
		"wait":      waitHelper,
		"breed":     breedHelper,
		"once":      onceHelper,
		"flood":     floodHelper,
		"graceful":  gracefulHelper,
		"signals":   signalsHelper,
		"winsize":   winsizeHelper,
		"seize":     seizeHelper,
		"raw":       rawHelper,
		"drive":     driveHelper,
		"job-shell": jobShellHelper,
		"peer":      peerHelper,
		"become":    becomeHelper,
		"type":      typeHelper,
	}
}

// typeHelper types on its terminal, by each of its names.
func typeHelper([]string) int {
	fds := []int{0, 1, 2}
	if fd, err := unix.Open("/dev/tty", unix.O_RDWR, 0); err == nil {
		fds = append(fds, fd)
	}
	var errs []error
	for _, fd := range fds {
		for _, key := range []byte("x\n") {
			_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSTI, uintptr(unsafe.Pointer(&key)))
			if errno != 0 {
				errs = append(errs, errno)
			}
		}
	}
	fmt.Printf("typed on %d: %v\n", len(fds), errs)
	return len(errs)
}

// waitHelper waits for a signal that ends it.
func waitHelper([]string) int {
	fmt.Println("ready")
	return forever()
}

// forever ends by a signal only. (The runtime would see a bare select as a
// deadlock.)
func forever() int {
	for {
		time.Sleep(time.Hour)
	}
}

// breedHelper starts another process when it gets SIGTERM.
func breedHelper([]string) int {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGTERM)
	fmt.Println("ready")
	<-got
	_, err := os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{
		Env: os.Environ(), Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 98
	}
	return 0
}

// onceHelper ends slowly, and says whether it got a second signal meanwhile.
func onceHelper([]string) int {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGTERM)
	fmt.Println("ready")
	<-got
	select {
	case <-got:
		fmt.Fprintln(os.Stderr, "signalled twice")
	case <-time.After(300 * time.Millisecond):
		fmt.Fprintln(os.Stderr, "signalled once")
	}
	return 0
}

// floodHelper writes so many MiB to both outputs at once.
func floodHelper(args []string) int {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return 98
	}
	done := make(chan error, 2)
	for fd, letter := range map[*os.File]byte{os.Stdout: 'o', os.Stderr: 'e'} {
		go func() {
			block := make([]byte, 1<<20)
			for i := range block {
				block[i] = letter
			}
			var err error
			for i := 0; i < mib && err == nil; i++ {
				_, err = fd.Write(block)
			}
			done <- err
		}()
	}
	for range 2 {
		if <-done != nil {
			return 97
		}
	}
	return 0
}

// gracefulHelper ends well on SIGINT.
func gracefulHelper([]string) int {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGINT)
	fmt.Println("ready")
	<-got
	fmt.Println("bye")
	return 0
}

// signalsHelper prints each signal it gets, and ends on SIGTERM.
func signalsHelper([]string) int {
	got := make(chan os.Signal, 16)
	signal.Notify(got, append(passedOn, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)...)
	fmt.Println("ready")
	for sig := range got {
		fmt.Println("got", unix.SignalName(sig.(syscall.Signal)))
		if sig == syscall.SIGTERM {
			break
		}
	}
	return 7
}

// winsizeHelper prints the terminal's size, and again when it has changed.
func winsizeHelper([]string) int {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	tell := func(word string) {
		width, height, err := term.GetSize(1)
		fmt.Println(word, width, height, err)
	}
	tell("first")
	<-changed
	tell("then")
	return 0
}

// rawHelper leaves the terminal in raw mode.
func rawHelper([]string) int {
	if _, err := term.MakeRaw(0); err != nil {
		return 98
	}
	return 5
}

// seizeHelper takes the terminal for a process group of its own, makes it raw
// and is killed.
func seizeHelper([]string) int {
	signal.Ignore(syscall.SIGTTOU)
	if unix.Setpgid(0, 0) != nil || unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, os.Getpid()) != nil {
		return 98
	}
	rawHelper(nil)
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	return forever()
}

// peerHelper answers each line on file 4 on file 5.
func peerHelper([]string) int {
	lines := bufio.NewScanner(os.NewFile(4, "questions"))
	answers := os.NewFile(5, "answers")
	fmt.Fprintln(answers, "alive")
	for lines.Scan() {
		fmt.Fprintln(answers, "alive")
	}
	return 0
}

// becomeHelper makes the rights of its file its own and waits for its end.
func becomeHelper([]string) int {
	if err := syscall.Setreuid(os.Geteuid(), os.Geteuid()); err != nil {
		return 98
	}
	fmt.Println("ready")
	return forever()
}
