package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// command returns the command to run, except where captured output goes.
func (r *Runner) command(p execPlan) (process.Command, error) {
	if p.missing != nil {
		return process.Command{}, p.missing
	}
	if p.interactive && !process.OnTerminal() {
		return process.Command{}, hostfuncs.OfField("interactive", &abi.Error{
			Code: abi.CodeInvalid, Message: "an interactive program needs a terminal, and standard input is not one",
			Hint: "run it from a terminal, or without interactive",
		})
	}
	cmd := process.Command{
		Program: p.program.path, Argv: p.exec.Argv, Dir: p.dir.Abs, Grace: r.opts.Grace, Stdout: r.opts.Stdout, Stderr: r.opts.Stderr,
		Executable: p.program.file, Directory: p.opened, Pinned: p.exec.SHA256 != "", Daemons: mayStay(p.exec), Guards: r.opts.Guards,
	}
	if err := r.opts.Confinement.apply(&cmd, p.program.at); err != nil {
		return cmd, err
	}
	defer r.opts.Env.ReportHidden()
	var err error
	if cmd.Env, err = r.environment(p.env); err != nil {
		return cmd, err
	}
	if p.stdin != nil {
		text, err := r.opts.Env.Value(*p.stdin)
		if err != nil {
			return cmd, err
		}
		cmd.Stdin = strings.NewReader(text)
	}
	return cmd, nil
}

// handled makes a command's output go through the screen if an option selects, marks or
// logs it, and otherwise masks it. done prints what is still buffered.
func (r *Runner) handled(cmd *process.Command, p execPlan) (done func() error) {
	if p.capture > 0 || !r.opts.Screen.Selects() {
		// Masked before it is truncated: a part of a value would not be masked.
		return r.masked(cmd)
	}
	out := r.newOutput(termtext.Line(filepath.Base(p.exec.Argv[0]), maxName), true, lookout{})
	out.receive(cmd)
	// Without a terminal of its own, the program still shares ours as its input.
	cmd.Inherit = cmd.Inherit && (out.terminal == nil || !process.OnTerminal())
	return func() error {
		defer out.shown.Remove()
		return out.close()
	}
}

// masked masks a command's output if there is something to mask. Otherwise the command
// gets the files of the output, such as a terminal. done prints what is still buffered.
func (r *Runner) masked(cmd *process.Command) (done func() error) {
	if r.opts.Mask.Empty() {
		return func() error { return nil }
	}
	stdout, stderr := wrapOutput(cmd, r.opts.Mask.Writer)
	return func() error { return errors.Join(stdout.Close(), stderr.Close()) }
}

// wrapOutput replaces a command's output. If both streams have one writer, it is wrapped
// once.
func wrapOutput[W io.Writer](cmd *process.Command, wrap func(io.Writer) W) (stdout, stderr W) {
	stdout = wrap(cmd.Stdout)
	stderr = stdout
	if cmd.Stderr != cmd.Stdout {
		stderr = wrap(cmd.Stderr)
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return stdout, stderr
}

// daemonsOf lists the granted daemons that run a program.
func (r *Runner) daemonsOf(program string) [][]string {
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	var all [][]string
	for _, argv := range r.opts.Daemons {
		if len(argv) > 0 && argv[0] == name {
			all = append(all, argv)
		}
	}
	return all
}

// mayStay lists the daemons that a command may leave running.
func mayStay(x capability.Exec) []process.Daemon {
	var all []process.Daemon
	for _, argv := range x.Daemons {
		all = append(all, process.Daemon{Program: x.Program, Args: argv[1:]})
	}
	return all
}

// run runs a command as [Confinement.run] does. After the run was asked to end, it warns
// of a command that still runs, and of one that is killed. It does not warn if the
// provider ended the command.
func (r *Runner) run(ctx context.Context, cmd process.Command, name string, asked time.Duration) (process.Result, error) {
	cmd.Late = func(left time.Duration) {
		if why, ok := asksToEnd(ctx); ok {
			r.opts.Warn(errors.New(lateText(name, why.Signal, r.opts.Grace-left, left)))
		}
	}
	res, err := r.opts.Confinement.run(ctx, cmd, asked)
	if why, ok := asksToEnd(ctx); ok && res.Killed && res.Interrupted {
		r.opts.Warn(errors.New(killedText(name, why.Signal, res, r.opts.Grace)))
	}
	return res, err
}

// asksToEnd returns the signal by which the user or the system ended the run, if any.
func asksToEnd(ctx context.Context) (*process.Interrupted, bool) {
	i, ok := errors.AsType[*process.Interrupted](context.Cause(ctx))
	return i, ok && !i.Stopped
}

func lateText(name string, sig syscall.Signal, after, left time.Duration) string {
	again := "press Ctrl-C"
	if sig == syscall.SIGINT {
		again += " again"
	}
	return fmt.Sprintf("%s: still running %v after %s; %s to kill it, or wait %v", name, after.Round(time.Second), signalWord(sig), again, left.Round(time.Second))
}

func killedText(name string, sig syscall.Signal, res process.Result, grace time.Duration) string {
	what := name + " was killed"
	if res.Signal != "SIGKILL" {
		what = "what " + name + " had started was killed"
	}
	if res.Waited < grace {
		return what + " at the second signal"
	}
	return fmt.Sprintf("%s: still running %v after %s", what, grace, signalWord(sig))
}

// signalWord is the user's name for a signal.
func signalWord(sig syscall.Signal) string {
	if sig == syscall.SIGINT {
		return "Ctrl-C"
	}
	return process.SignalName(sig)
}
