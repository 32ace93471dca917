package process

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

type Command struct {
	Program        string
	Argv           []string
	Dir            string
	Env            []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Inherit        bool
	Grace          time.Duration
}
type Result struct {
	ExitCode                      int
	Signal                        string
	Duration                      time.Duration
	Interrupted, Killed, TimedOut bool
}
type Interrupted struct {
	Signal syscall.Signal
	Kill   <-chan struct{}
}

func (*Interrupted) Error() string { return "interrupted" }
func NewInterrupted(sig os.Signal, kill <-chan struct{}) *Interrupted {
	return &Interrupted{sig.(syscall.Signal), kill}
}
func Run(ctx context.Context, c Command) (Result, error) {
	cmd := exec.CommandContext(ctx, c.Program)
	cmd.Args, cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Argv, c.Dir, c.Env, c.Stdin, c.Stdout, c.Stderr
	if c.Inherit {
		cmd.Stdin = os.Stdin
	}
	err := cmd.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return Result{ExitCode: e.ExitCode()}, nil
	}
	return Result{}, err
}
func LookPath(name, dir, path string) (string, error) { return exec.LookPath(name) }
