package exec

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// execPlan is a program exactly as it will run.
type execPlan struct {
	program programFile
	dir     files.Place
	opened  *process.Directory // dir, opened; nil if missing says why
	// exec is the part that is decided on.
	exec   capability.Exec
	env    variables
	passed []string // the user's variables
	stdin  *values.Reference
	// interactive leaves Ctrl-C to the program.
	interactive bool
	capture     int // bytes of each stream to keep; 0 streams to the user
	timeout     time.Duration
	once        string
	missing     error
}

func (r *Runner) execOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.ExecRequest, execPlan, abi.ExecResult]{
		Name:    abi.OpExec,
		Resolve: r.resolveExec,
		Claim:   claimExec,
		Do:      r.doOnce,
		Step: func(_ context.Context, p execPlan) (hostfuncs.Detail, error) {
			step := p.step()
			step.Once, step.Unchanged = p.once, r.unchanged(p)
			return step, nil
		},
		Preview: previewExec,
		Reaches: func(p execPlan) []hostfuncs.EnvStep { return r.reaches(p.env) },
		Close:   execPlan.close,
	}
}

func previewExec(p execPlan) (abi.ExecResult, []string, error) {
	var unknown []string
	if p.capture > 0 {
		unknown = []string{"its output, taken to be empty"}
	}
	return abi.ExecResult{}, unknown, p.missing
}

func (r *Runner) resolveExec(_ context.Context, q abi.ExecRequest) (p execPlan, err error) {
	if err := checkExec(q); err != nil {
		return execPlan{}, err
	}
	if q.Interactive && r.opts.Screen.Selects() {
		return execPlan{}, hostfuncs.OfField("interactive", &abi.Error{
			Code: abi.CodeInvalid, Message: "an interactive program has the terminal, so its lines cannot be selected, marked or logged",
			Hint: "leave out --timestamps, --log-file and --only-output, or interactive",
		})
	}
	p.timeout, p.once, p.interactive = time.Duration(q.TimeoutMS)*time.Millisecond, q.Once, q.Interactive
	if p.dir, err = r.opts.Project.Locate(q.Dir); err != nil {
		return execPlan{}, hostfuncs.OfField("dir", err)
	}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	dotenv := r.opts.Env.Request()
	if p.env, err = readVariables(dotenv, q); err != nil {
		return p, err
	}
	p.passed = slices.DeleteFunc(slices.Clone(r.passed), p.env.has)
	if p.opened, p.missing = openDir(r.opts.Project, q.Dir, p.dir); p.missing == nil {
		p.program, p.missing = r.openProgram(q.Argv[0], p.dir.Abs, p.env)
	}
	p.exec = r.execClaim(q.Argv, p.program, p.dir)
	if q.Capture {
		p.capture = abi.MaxCapture
		if q.CaptureLimit > 0 {
			p.capture = min(q.CaptureLimit, abi.MaxCapture)
		}
	}
	if q.Stdin != nil {
		stdin, err := dotenv.Refer(*q.Stdin)
		if err != nil {
			return p, err
		}
		p.stdin = &stdin
	}
	return p, nil
}

// close closes what was opened.
func (p execPlan) close() {
	if p.opened != nil {
		_ = p.opened.Close()
	}
	p.program.close()
}

// openDir opens a working directory as it was located.
func openDir(project *files.Project, named string, at files.Place) (*process.Directory, error) {
	switch {
	case at.Missing != nil:
		return nil, hostfuncs.OfField("dir", at.Missing)
	case !at.Info.IsDir():
		return nil, hostfuncs.OfField("dir", abi.Errorf(abi.CodeInvalid, "%s is not a directory", strconv.Quote(named)))
	}
	dir, err := process.OpenDirectory(project.Root(), at.Rel)
	if err != nil {
		return nil, hostfuncs.OfField("dir", abi.Errorf(abi.CodeFailed, "cannot open %s as a directory of the project: %v", strconv.Quote(at.Rel), err))
	}
	return dir, nil
}

func checkExec(q abi.ExecRequest) error {
	if len(q.Argv) == 0 || q.Argv[0] == "" {
		return abi.Errorf(abi.CodeInvalid, "exec: argv is empty, it should begin with a program")
	}
	if len(q.Argv[0]) > files.MaxPath {
		return abi.Errorf(abi.CodeInvalid, "exec: a program's name has %d bytes, at most %d are taken", len(q.Argv[0]), files.MaxPath)
	}
	for _, word := range q.Argv {
		if strings.ContainsRune(word, 0) {
			return abi.Errorf(abi.CodeInvalid, "exec: argv has a NUL byte in %q", word)
		}
	}
	for _, env := range []map[string]abi.Value{q.EnvBase, q.Env} {
		for name, value := range env {
			if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value.Text, 0) {
				return abi.Errorf(abi.CodeInvalid, "exec: invalid name or value of the variable %q", name)
			}
		}
	}
	if q.Interactive && (q.Capture || q.Stdin != nil) {
		return hostfuncs.OfField("interactive", abi.Errorf(abi.CodeInvalid, "exec: an interactive program has the terminal, so it takes neither capture nor stdin"))
	}
	if q.TimeoutMS < 0 || q.CaptureLimit < 0 {
		return abi.Errorf(abi.CodeInvalid, "exec: timeout_ms and capture_limit must not be negative")
	}
	return checkOnce(q)
}

func claimExec(p execPlan) capability.Claim {
	c := capability.Claim{Exec: &p.exec}
	p.env.claim(&c)
	for _, name := range p.passed {
		c.Env = append(c.Env, capability.EnvUse{Name: name, Use: capability.Pass})
	}
	if p.stdin != nil {
		p.stdin.Claim(&c)
	}
	return c
}

func (r *Runner) doExec(ctx context.Context, p execPlan) (abi.ExecResult, error) {
	cmd, err := r.command(p)
	if err != nil {
		return abi.ExecResult{}, err
	}
	cmd.Inherit, cmd.Interactive = p.capture == 0 && p.stdin == nil, p.interactive
	var stdout, stderr capture
	if p.capture > 0 {
		stdout.limit, stderr.limit = p.capture, p.capture
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
	}
	done := r.handled(&cmd, p)
	res, err := r.run(ctx, cmd, cmd.Argv[0], p.timeout)
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
