package hostfuncs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// execPlan is a program that will run, exactly as it will.
type execPlan struct {
	program programFile
	dir     place
	opened  *process.Directory // dir itself; nil when missing says why
	// exec is what is decided on.
	exec   capability.Exec
	env    variables
	passed []string // variables of the user's, see [World.PassOn]
	stdin  *reference
	// interactive leaves Ctrl-C to the program.
	interactive bool
	capture     int // bytes of each stream to keep; 0 streams to the user
	timeout     time.Duration
	once        string
	missing     error
}

func execOp(w *World) Op[abi.ExecRequest, execPlan, abi.ExecResult] {
	return Op[abi.ExecRequest, execPlan, abi.ExecResult]{
		Name:    abi.OpExec,
		Resolve: w.resolveExec,
		Claim:   claimExec,
		Do:      w.doOnce,
		Step: func(_ context.Context, p execPlan) (Step, error) {
			step := p.step()
			step.Once, step.Unchanged = p.once, w.unchanged(p)
			return Step{Operation: abi.OpExec, Exec: step}, nil
		},
		Foretell: foretellExec,
		Reaches:  func(p execPlan) []EnvStep { return w.reaches(p.env) },
		Close:    execPlan.close,
	}
}

func (p execPlan) step() *ExecStep {
	s := &ExecStep{Argv: p.exec.Argv, Program: p.program.path, Dir: p.dir.rel, Capture: p.capture > 0, Interactive: p.interactive, TimeoutMS: p.timeout.Milliseconds(), Daemons: p.exec.Daemons}
	s.Env = p.env.steps()
	if p.stdin != nil {
		stdin := valueStep("", p.stdin.Value)
		s.Stdin = &stdin
	}
	return s
}

func foretellExec(p execPlan) (abi.ExecResult, []string, error) {
	var unknown []string
	if p.capture > 0 {
		unknown = []string{"its output, taken to be empty"}
	}
	return abi.ExecResult{}, unknown, p.missing
}

func (w *World) resolveExec(_ context.Context, q abi.ExecRequest) (p execPlan, err error) {
	if err := checkExec(q); err != nil {
		return execPlan{}, err
	}
	p.timeout, p.once, p.interactive = time.Duration(q.TimeoutMS)*time.Millisecond, q.Once, q.Interactive
	if p.dir, err = w.locate(q.Dir); err != nil {
		return execPlan{}, ofField("dir", err)
	}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	files := w.newEnvFiles()
	if p.env, err = files.variables(q); err != nil {
		return p, err
	}
	p.passed = w.passedBeside(p.env)
	if p.opened, p.missing = w.openDir(q.Dir, p.dir); p.missing == nil {
		p.program, p.missing = w.openProgram(q.Argv[0], p.dir.abs, p.env)
	}
	p.exec = w.execClaim(q.Argv, p.program, p.dir)
	if q.Capture {
		p.capture = abi.MaxCapture
		if q.CaptureLimit > 0 {
			p.capture = min(q.CaptureLimit, abi.MaxCapture)
		}
	}
	if q.Stdin != nil {
		stdin, err := files.refer(*q.Stdin)
		if err != nil {
			return p, err
		}
		p.stdin = &stdin
	}
	return p, nil
}

// close lets go of what was opened.
func (p execPlan) close() {
	if p.opened != nil {
		_ = p.opened.Close()
	}
	p.program.close()
}

// openDir opens a directory to run a program in, as it was located.
func (w *World) openDir(named string, at place) (*process.Directory, error) {
	switch {
	case at.missing != nil:
		return nil, ofField("dir", at.missing)
	case !at.info.IsDir():
		return nil, ofField("dir", abi.Errorf(abi.CodeInvalid, "%s is no directory to run a program in", quotePath(named)))
	}
	dir, err := process.OpenDirectory(w.Root, at.rel)
	if err != nil {
		return nil, ofField("dir", abi.Errorf(abi.CodeFailed, "cannot open %s as a directory of the project: %v", quotePath(at.rel), err))
	}
	return dir, nil
}

func checkExec(q abi.ExecRequest) error {
	if len(q.Argv) == 0 || q.Argv[0] == "" {
		return abi.Errorf(abi.CodeInvalid, "exec: argv is empty, it should begin with a program")
	}
	if len(q.Argv[0]) > maxPath {
		return abi.Errorf(abi.CodeInvalid, "exec: a program's name has %d bytes, at most %d are taken", len(q.Argv[0]), maxPath)
	}
	for _, word := range q.Argv {
		if strings.ContainsRune(word, 0) {
			return abi.Errorf(abi.CodeInvalid, "exec: argv has a NUL byte in %q", word)
		}
	}
	for _, env := range []map[string]abi.Value{q.EnvBase, q.Env} {
		for name, value := range env {
			if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value.Text, 0) {
				return abi.Errorf(abi.CodeInvalid, "exec: %q is no name and value of a variable", name)
			}
		}
	}
	if q.Interactive && (q.Capture || q.Stdin != nil) {
		return ofField("interactive", abi.Errorf(abi.CodeInvalid, "exec: an interactive program has the terminal, so it takes neither capture nor stdin"))
	}
	if q.TimeoutMS < 0 || q.CaptureLimit < 0 {
		return abi.Errorf(abi.CodeInvalid, "exec: timeout_ms and capture_limit can't be below 0")
	}
	return checkOnce(q)
}

func claimExec(p execPlan) capability.Claim {
	c := capability.Claim{Exec: &p.exec}
	for _, v := range p.env.base {
		v.claim(&c)
	}
	for _, f := range p.env.files {
		f.load(&c)
		for _, name := range slices.Sorted(maps.Keys(f.vars)) {
			f.pass(&c, name)
		}
	}
	for _, v := range p.env.own {
		v.claim(&c)
	}
	for _, name := range p.passed {
		c.Env = append(c.Env, capability.EnvUse{Name: name, Use: capability.Pass})
	}
	if p.stdin != nil {
		p.stdin.claim(&c)
	}
	return c
}

func (w *World) doExec(ctx context.Context, p execPlan) (abi.ExecResult, error) {
	cmd, err := w.command(p)
	if err != nil {
		return abi.ExecResult{}, err
	}
	cmd.Inherit, cmd.Interactive = p.capture == 0 && p.stdin == nil, p.interactive
	var stdout, stderr capture
	if p.capture > 0 {
		stdout.limit, stderr.limit = p.capture, p.capture
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
	}
	// Masked before it is cut: the beginning of a value is not known for one.
	done := w.masked(&cmd)
	res, err := w.run(ctx, cmd, p.timeout)
	closeErr := done()
	if limit, ok := errors.AsType[*abi.Error](err); ok {
		return abi.ExecResult{}, limit
	}
	err = errors.Join(err, closeErr)
	switch {
	case err != nil && ctx.Err() == nil:
		return abi.ExecResult{}, abi.Errorf(abi.CodeFailed, "%v", err)
	case err != nil:
		return abi.ExecResult{}, err
	}
	return abi.ExecResult{
		ExitCode: res.ExitCode, Signal: res.Signal, Interrupted: res.Interrupted,
		Stdout: stdout.text(), Stderr: stderr.text(), Truncated: stdout.cut || stderr.cut,
	}, nil
}

// command is what will run, but for where its output goes.
func (w *World) command(p execPlan) (process.Command, error) {
	if p.missing != nil {
		return process.Command{}, p.missing
	}
	if p.interactive && !process.OnTerminal() {
		return process.Command{}, ofField("interactive", &abi.Error{
			Code: abi.CodeInvalid, Message: "an interactive program needs a terminal, and standard input is not one",
			Hint: "run it from a terminal, or without interactive",
		})
	}
	cmd := process.Command{
		Program: p.program.path, Argv: p.exec.Argv, Dir: p.dir.abs, Grace: w.Grace, Stdout: w.Stdout, Stderr: w.Stderr,
		Executable: p.program.file, Directory: p.opened, Pinned: p.exec.SHA256 != "", Leaves: leaving(p.exec),
	}
	if err := w.Confinement.hold(&cmd, p.program.at); err != nil {
		return cmd, err
	}
	defer w.tellHidden()
	var err error
	if cmd.Env, err = w.environment(p.env); err != nil {
		return cmd, err
	}
	if p.stdin != nil {
		text, err := w.value(*p.stdin)
		if err != nil {
			return cmd, err
		}
		cmd.Stdin = strings.NewReader(text)
	}
	return cmd, nil
}

// masked has a command's output pass through the mask, where there is something
// to mask: a terminal is handed over as it is only where there isn't. The result
// gives out what was held back.
func (w *World) masked(cmd *process.Command) (done func() error) {
	if w.Mask.Empty() {
		return func() error { return nil }
	}
	stdout := w.Mask.Writer(cmd.Stdout)
	stderr := stdout
	if cmd.Stderr != cmd.Stdout {
		stderr = w.Mask.Writer(cmd.Stderr)
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return func() error { return errors.Join(stdout.Close(), stderr.Close()) }
}

// capture keeps the beginning of a stream.
type capture struct {
	limit int
	data  []byte
	cut   bool
}

func (c *capture) Write(p []byte) (int, error) {
	take := min(len(p), c.limit-len(c.data))
	c.data = append(c.data, p[:take]...)
	c.cut = c.cut || take < len(p)
	return len(p), nil
}

func (c *capture) text() string { return strings.ToValidUTF8(string(c.data), "\uFFFD") }
