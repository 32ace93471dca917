package hostfuncs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/runtime/safefile"
)

// execPlan is a program that will run, exactly as it will.
type execPlan struct {
	argv    []string
	program string // absolute; empty when missing says why
	linked  string // the file that program leads to, "" when it is no link
	inside  string // that file relative to the project, "" when outside
	sha256  string // of the program, where a policy asks for it
	// is and dirIs are which file and folder were decided on.
	is, dirIs process.Identity
	dir       place
	env       variables
	stdin     *reference
	capture   int // bytes of each stream to keep; 0 streams to the user
	timeout   time.Duration
	missing   error
}

func execOp(w *World) Op[abi.ExecRequest, execPlan, abi.ExecResult] {
	return Op[abi.ExecRequest, execPlan, abi.ExecResult]{
		Name:    abi.OpExec,
		Resolve: w.resolveExec,
		Claim:   claimExec,
		Do:      w.doExec,
		Step: func(_ context.Context, p execPlan) (Step, error) {
			return Step{Operation: abi.OpExec, Exec: p.step()}, nil
		},
		Foretell: foretellExec,
	}
}

func (p execPlan) step() *ExecStep {
	s := &ExecStep{Argv: p.argv, Program: p.program, Dir: p.dir.rel, Capture: p.capture > 0, TimeoutMS: p.timeout.Milliseconds()}
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

func (w *World) resolveExec(_ context.Context, q abi.ExecRequest) (execPlan, error) {
	if err := checkExec(q); err != nil {
		return execPlan{}, err
	}
	dir, err := w.locate(q.Dir)
	if err != nil {
		return execPlan{}, ofField("dir", err)
	}
	p := execPlan{argv: q.Argv, dir: dir, timeout: time.Duration(q.TimeoutMS) * time.Millisecond}
	switch {
	case dir.missing != nil:
		p.missing = ofField("dir", dir.missing)
	case !dir.info.IsDir():
		p.missing = ofField("dir", abi.Errorf(abi.CodeInvalid, "%s is no folder to run a program in", quotePath(q.Dir)))
	default:
		p.program, p.missing = w.lookProgram(q.Argv[0], dir.abs)
	}
	if p.missing == nil {
		// Before it is looked into, so that what was looked into is what runs.
		var errs [2]error
		p.is, errs[0] = process.Identify(p.program)
		p.dirIs, errs[1] = process.Identify(dir.abs)
		if err := errors.Join(errs[:]...); err != nil {
			p.missing = abi.Errorf(abi.CodeNotFound, "%v", err)
		}
	}
	p.linked, p.inside = w.follow(p.program)
	if w.HashPrograms {
		p.sha256 = hashFile(p.program)
	}
	if q.Capture {
		p.capture = abi.MaxCapture
		if q.CaptureLimit > 0 {
			p.capture = min(q.CaptureLimit, abi.MaxCapture)
		}
	}
	files := w.newEnvFiles()
	if q.Stdin != nil {
		stdin, err := files.refer(*q.Stdin)
		if err != nil {
			return execPlan{}, err
		}
		p.stdin = &stdin
	}
	p.env, err = files.variables(q)
	return p, err
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
	if q.TimeoutMS < 0 || q.CaptureLimit < 0 {
		return abi.Errorf(abi.CodeInvalid, "exec: timeout_ms and capture_limit can't be below 0")
	}
	return nil
}

// lookProgram searches where the user's shell would, but in absolute entries
// of PATH only, and always in the host's PATH, whatever the child's will be.
func (w *World) lookProgram(name, dir string) (string, error) {
	program, err := process.LookPath(name, dir, w.getenv("PATH"))
	if err != nil {
		return "", &abi.Error{Code: abi.CodeNotFound, Message: err.Error(), Hint: oneWordHint(name)}
	}
	return program, nil
}

// oneWordHint is for who wrote a whole command as its first word.
func oneWordHint(name string) string {
	words := strings.Fields(name)
	if len(words) < 2 {
		return ""
	}
	for i, word := range words {
		words[i] = strconv.Quote(word)
	}
	return "a program and its arguments are the words of a list: [" + strings.Join(words, ", ") + "]"
}

// follow finds the file that a program is in the end: its path where that is
// another one, and its path in the project where it is there.
func (w *World) follow(program string) (linked, inside string) {
	if program == "" {
		return "", ""
	}
	resolved, err := filepath.EvalSymlinks(program)
	if err != nil {
		return "", ""
	}
	if resolved != program {
		linked = resolved
	}
	rel, err := filepath.Rel(w.Root, resolved)
	if err != nil || !filepath.IsLocal(rel) {
		return linked, ""
	}
	return linked, filepath.ToSlash(rel)
}

// maxHashed bounds a program whose digest counts, in bytes. A file without end
// that takes no room would be read for hours, before anything is decided.
const maxHashed = 1 << 30

// hashFile is the SHA-256 of a regular file in hex, empty when it can't be read
// or is too large.
func hashFile(path string) string {
	f, err := safefile.Open(path, os.O_RDONLY)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() > maxHashed {
		return ""
	}
	sum := sha256.New()
	// It may grow while it is read.
	if n, err := io.Copy(sum, io.LimitReader(f, maxHashed+1)); err != nil || n > maxHashed {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func claimExec(p execPlan) capability.Claim {
	c := capability.Claim{Exec: &capability.Exec{
		Argv: p.argv, Program: p.program, ProgramInProject: p.inside, Resolved: p.linked, SHA256: p.sha256, Dir: p.dir.rel,
	}}
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
	cmd.Inherit = p.capture == 0 && p.stdin == nil
	var stdout, stderr capture
	if p.capture > 0 {
		stdout.limit, stderr.limit = p.capture, p.capture
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
	}
	// Masked before it is cut: the beginning of a value is not known for one.
	done := w.masked(&cmd)
	res, err := w.Confinement.run(ctx, cmd, p.timeout)
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
	cmd := process.Command{
		Program: p.program, Argv: p.argv, Dir: p.dir.abs, Grace: w.Grace, Stdout: w.Stdout, Stderr: w.Stderr,
		Is: p.is, DirIs: p.dirIs, Pinned: p.sha256 != "", Leaves: daemonOf(p.program),
	}
	if err := w.Confinement.hold(&cmd, cmp.Or(p.linked, p.program)); err != nil {
		return cmd, err
	}
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
