package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

const (
	// helperLimit is how long a credential helper may take, its user's answer to
	// what it asks included.
	helperLimit = 30 * time.Second
	// helperOutput is the most bytes that one may print.
	helperOutput = 1 << 20
)

// registries are the user's credentials for image registries, the same for all
// operations of a run.
func (w *World) registries() *registry.Credentials {
	w.credentialsOnce.Do(func() { w.credentials = registry.New(w.getenv, w.runHelper) })
	return w.credentials
}

// authOf answers a builder for the credentials that a build may use: those for
// its base images, and for where it and its cache go. What a daemon elsewhere
// calls this machine is its own.
func (w *World) authOf(j job, elsewhere bool) buildkit.Auth {
	var all []buildkit.Access
	add := func(push bool, refs ...string) {
		for _, ref := range refs {
			access, err := buildkit.AccessTo(ref, push)
			at := url.URL{Host: access.Host}
			if err == nil && !(elsewhere && isLoopback(at.Hostname())) {
				all = append(all, access)
			}
		}
	}
	add(false, slices.Concat(j.Bases, one(j.Syntax), j.CacheFrom)...)
	for _, c := range j.CacheTo {
		add(true, c.Ref)
	}
	if j.push {
		add(true, j.Tags...)
	}
	return buildkit.NewAuth(w.registries(), registry.NewClient(nil), all)
}

// one is a list of a text; none where it is empty.
func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// runHelper runs a credential helper, a [registry.Run]. It is the user's own
// program, named in the user's own configuration, so it has the user's
// environment and no policy; it doesn't run in the project's directory.
func (w *World) runHelper(ctx context.Context, name string, args []string, stdin string) ([]byte, int, error) {
	return w.runBounded(ctx, name, args, stdin, helperLimit)
}

func (w *World) runBounded(ctx context.Context, name string, args []string, stdin string, limit time.Duration) ([]byte, int, error) {
	program, err := process.LookPath(name, "", w.getenv("PATH"))
	if err != nil {
		return nil, 0, err
	}
	limited, stop := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer stop()
	running, end := context.WithCancelCause(limited)
	defer end(nil)
	out := &boundedOutput{full: end}
	res, err := process.Run(running, process.Command{
		Program: program, Argv: append([]string{name}, args...),
		// An absolute directory that is there.
		Dir: filepath.Dir(program), Env: w.Environ,
		Stdin: strings.NewReader(stdin), Stdout: out, Grace: time.Second,
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

// boundedOutput keeps so much, and ends what prints more. Its buffer is no part
// of it, since a buffer reads all there is by itself.
type boundedOutput struct {
	kept bytes.Buffer
	full context.CancelCauseFunc
}

// Write implements [io.Writer].
func (b *boundedOutput) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > helperOutput {
		b.full(errMuchOutput)
		return 0, errMuchOutput
	}
	return b.kept.Write(p)
}
