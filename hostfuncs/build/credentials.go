package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

const (
	// helperLimit is how long a credential helper may take, including what it asks
	// its user.
	helperLimit = 30 * time.Second
	// helperOutput is how many bytes one may print.
	helperOutput = 1 << 20
)

// newCredentials are the user's credentials for image registries.
func newCredentials(env *values.Environment, guards *process.Guards) *registry.Credentials {
	return registry.New(env.Get, helpers{env.Environ(), env.Get("PATH"), helperLimit, guards}.run)
}

// helpers runs credential helpers.
type helpers struct {
	environ []string
	path    string
	limit   time.Duration
	guards  *process.Guards
}

// run runs a credential helper, as a [registry.Run]. The helper is the user's own
// program, named in the user's own configuration: it has the user's environment
// and is not confined. It does not run in the project's directory.
func (h helpers) run(ctx context.Context, name string, args []string, stdin string) ([]byte, int, error) {
	program, err := process.LookPath(name, "", h.path)
	if err != nil {
		return nil, 0, err
	}
	limited, stop := context.WithTimeoutCause(ctx, h.limit, fmt.Errorf("no answer within %v", h.limit))
	defer stop()
	running, end := context.WithCancelCause(limited)
	defer end(nil)
	out := &boundedBuffer{full: end}
	res, err := process.Run(running, process.Command{
		Program: program, Argv: append([]string{name}, args...),
		Dir: filepath.Dir(program), Env: h.environ,
		Stdin: strings.NewReader(stdin), Stdout: out, Grace: time.Second, Guards: h.guards,
	})
	switch {
	case ctx.Err() != nil:
		return nil, 0, ctx.Err()
	case running.Err() != nil:
		return nil, 0, fmt.Errorf("%s: %w", program, context.Cause(running))
	case err != nil:
		return nil, 0, err
	}
	return out.kept.Bytes(), res.ExitCode, nil
}

var errMuchOutput = errors.New("it prints more than 1 MiB")

// boundedBuffer ends a program that prints more than it may. It does not embed its
// buffer, whose ReadFrom has no bound.
type boundedBuffer struct {
	kept bytes.Buffer
	full context.CancelCauseFunc
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > helperOutput {
		b.full(errMuchOutput)
		return 0, errMuchOutput
	}
	return b.kept.Write(p)
}
