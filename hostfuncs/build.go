package hostfuncs

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// builds has the operations docker_build and docker_image for one run of a
// provider. A run makes one call after another.
type builds struct {
	project *World
	env     *World
	options BuildOptions
	own     []string
	mask    func(string) string
	warn    func(error)
	engines engines
	// connect and find are those of engines, but in tests.
	connect func(context.Context, Engine) (builder, error)
	find    func(context.Context) (finder, error)
	// warned are the build contexts that the user was warned of.
	warned map[string]bool
}

func newBuilds(w *World) *builds {
	b := &builds{
		project: w, env: w, options: w.Builds, own: w.Own, mask: w.Mask.Text, warn: w.Warn,
		engines: engines{getenv: w.getenv, credentials: newCredentials(w.Environ, w.getenv)},
		warned:  make(map[string]bool),
	}
	if w.Builds.Describe {
		b.engines.describe = func(text string) { w.Log(abi.LevelDebug, text) }
	}
	b.connect = b.engines.connect
	b.find = func(ctx context.Context) (finder, error) { return b.engines.docker(ctx) }
	return b
}
