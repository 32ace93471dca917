//go:build unix

package process

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// driven is what the driver says on file 3 when its command has ended.
type driven struct {
	Result     Result
	Err        string
	Foreground bool // its process group has the terminal
	Input      bool // the terminal has input
}

// watchVar is set where the driver's command is watched.
const watchVar = "STAGECRAFT_TEST_WATCH"

// ownTerminalVar is set where the driver's command has a terminal of its own.
const ownTerminalVar = "STAGECRAFT_TEST_OWN_TERMINAL"

// gathered is what a watcher received.
type gathered struct {
	uses   []confine.Use
	missed []string
}

func (g *gathered) Used(u confine.Use)   { g.uses = append(g.uses, u) }
func (g *gathered) More()                { g.missed = append(g.missed, "more") }
func (g *gathered) Missed(reason string) { g.missed = append(g.missed, reason) }

// passedOn are the signals that the driver passes on.
var passedOn = []os.Signal{syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH}

// driveHelper runs its arguments as a command that inherits the terminal, as
// the CLI does: the first signal ends it, the second kills.
func driveHelper(args []string) int {
	grace, err := time.ParseDuration(args[0])
	if err != nil {
		return 98
	}
	report := json.NewEncoder(os.NewFile(3, "report"))
	unix.CloseOnExec(3)
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		kill := make(chan struct{})
		cancel(NewInterrupted(<-signals, kill))
		// A signal that comes before would be one with the first.
		fmt.Fprintln(os.Stderr, "took the first")
		<-signals
		close(kill)
	}()
	others := make(chan os.Signal, 16)
	signal.Notify(others, passedOn...)
	go func() {
		for sig := range others {
			Pass(sig.(syscall.Signal))
		}
	}()
	env := append(os.Environ(), fmt.Sprintf("DRIVER=%d", os.Getpid()))
	if strings.HasPrefix(args[1], "helper:") {
		// Of two values, a Go program takes the first.
		env = append([]string{helperVar + "=" + strings.TrimPrefix(args[1], "helper:")}, env...)
		args[1], _ = os.Executable()
	}
	dir, _ := os.Getwd()
	c := Command{
		Program: args[1], Argv: args[1:], Dir: dir, Env: env,
		Stdout: os.Stdout, Stderr: os.Stderr, Inherit: true, Grace: grace, Guards: embedded(),
	}
	if os.Getenv(watchVar) != "" {
		c.Watcher = new(gathered)
	}
	if os.Getenv(ownTerminalVar) != "" {
		c.Inherit, c.Terminal = false, &Terminal{Size: func() (columns, rows int) {
			columns, rows, _ = term.GetSize(0)
			return columns, rows
		}}
	}
	res, err := Run(ctx, c)
	d := driven{Result: res}
	if err != nil {
		d.Err = err.Error()
	}
	inputs, _ := unix.Poll([]unix.PollFd{{Fd: 0, Events: unix.POLLIN}}, 0)
	d.Input = inputs > 0
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	d.Foreground = err == nil && group == unix.Getpgrp()
	if report.Encode(d) != nil {
		return 97
	}
	return 0
}

// What the job shell can be ordered to wake: its job, or the driver alone.
const (
	orderAll    = '.'
	orderDriver = '1'
)

// jobShellHelper does what a shell does for a job: it starts the driver in a
// process group in the foreground, says when it stops, and continues it on an
// order on file 4.
func jobShellHelper(args []string) int {
	signal.Ignore(syscall.SIGTTOU)
	self, _ := os.Executable()
	report, orders := os.NewFile(3, "report"), os.NewFile(4, "orders")
	job, err := os.StartProcess(self, append([]string{"driver"}, args...), &os.ProcAttr{
		// Of two values, a Go program takes the first.
		Env:   append([]string{helperVar + "=drive"}, os.Environ()...),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, report},
		Sys:   &syscall.SysProcAttr{Foreground: true, Ctty: 0},
	})
	if err != nil {
		return 98
	}
	for {
		var status unix.WaitStatus
		if _, err := unix.Wait4(job.Pid, &status, unix.WUNTRACED, nil); err != nil {
			return 97
		}
		if !status.Stopped() {
			return status.ExitStatus()
		}
		_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, os.Getpid())
		fmt.Fprintln(report, `{"Err":"stopped"}`)
		order := make([]byte, 1)
		if _, err := orders.Read(order); err != nil {
			return 96
		}
		_ = unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, job.Pid)
		if order[0] == orderAll {
			_ = unix.Kill(-job.Pid, unix.SIGCONT)
		} else {
			_ = unix.Kill(job.Pid, unix.SIGCONT)
		}
	}
}
