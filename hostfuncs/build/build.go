// Package build has the operations docker_build and docker_image: images are
// built by a Docker engine, a BuildKit daemon, or without either.
//
// A request goes down through docker_build.go, request.go, dockerfile.go and
// engine.go to one of the builders: docker.go, buildkit.go or embedded.go.
package build

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// Config is what builds need. All of it is required, but Own.
type Config struct {
	Project *files.Project
	Env     *values.Environment
	Options Options
	// Own are files that this run itself reads or writes, such as its audit log:
	// absolute, their directories' links resolved. A build's context leaves them
	// out, since they would change it.
	Own []string
	// Mask has the values that must not be shown.
	Mask *redact.Set
	Log  func(level abi.Level, message string)
	Warn func(error)
}

// Images builds and finds images for one run of a provider, which makes one call
// after another.
type Images struct {
	project *files.Project
	env     *values.Environment
	options Options
	own     []string
	mask    func(string) string
	warn    func(error)
	engines engines
	// connect and find are those of engines, except in tests.
	connect func(context.Context, Engine) (builder, error)
	find    func(context.Context) (finder, error)
	// warned are the build contexts that the user was warned of.
	warned map[string]bool
}

// New returns the images of a run. It does not connect to an engine.
func New(c Config) *Images {
	i := &Images{
		project: c.Project, env: c.Env, options: c.Options, own: c.Own, mask: c.Mask.Text, warn: c.Warn,
		engines: engines{getenv: c.Env.Get, credentials: newCredentials(c.Env)},
		warned:  make(map[string]bool),
	}
	if c.Options.Describe {
		i.engines.describe = func(text string) { c.Log(abi.LevelDebug, text) }
	}
	i.connect = i.engines.connect
	i.find = func(ctx context.Context) (finder, error) { return i.engines.docker(ctx) }
	return i
}

// Operations are docker_build and docker_image.
func (i *Images) Operations() []hostfuncs.Operation {
	return []hostfuncs.Operation{i.buildOp(), i.imageOp()}
}
