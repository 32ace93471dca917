package build

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/embedded"
)

// usesOf tells what the Dockerfile uses on the engine that was chosen. What it is
// built on is asked for only where something that is decided on depends on it.
func (w *World) usesOf(ctx context.Context, p *buildPlan, f *dockerfile.File) (dockerfile.Uses, error) {
	o := p.dockerfileOptions()
	if p.engine.Kind == EngineEmbedded {
		on, err := embedded.On(o)
		if err != nil {
			return dockerfile.Uses{}, err
		}
		return f.Uses(on)
	}
	uses, err := f.UsesForAll(o, p.platforms())
	if !dockerfile.NeedsPlatform(err) {
		return uses, err
	}
	// Where nothing can build, that has been asked already.
	cause := p.unbuilt
	if cause == nil {
		o.BuildPlatform, cause = w.buildPlatform(ctx, p.engine)
	}
	if cause != nil {
		return uses, fmt.Errorf("%w: %v", err, cause)
	}
	return f.UsesForAll(o, p.platforms())
}

// platformLimit is how long an engine has to name its platform, for which it
// looks for emulators.
const platformLimit = 30 * time.Second

// buildPlatform asks an engine for the platform that it builds on, such as
// linux/amd64.
func (w *World) buildPlatform(ctx context.Context, which Engine) (string, error) {
	ctx, stop := context.WithTimeoutCause(ctx, platformLimit, fmt.Errorf("it named no platform within %v", platformLimit))
	defer stop()
	if which.Kind == EngineBuildKit {
		d, err := w.dial(ctx, which)
		if err != nil {
			return "", err
		}
		defer d.Close()
		return d.builder.Platform(ctx)
	}
	e, err := w.connectDocker(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	b, err := buildkit.InEngine(ctx, e.Address(), e.Hijack)
	if none, ok := errors.AsType[*buildkit.UnavailableError](err); ok && !none.Slow {
		// Podman 4.3 sets these variables only where an ARG declares them, and no
		// stage is found by them; Docker's classic builder does not set them.
		return "", fmt.Errorf("the engine at %s builds without BuildKit, which is what tells it to a Dockerfile", e.Address())
	}
	if err != nil {
		return "", err
	}
	defer b.Close()
	return b.Platform(ctx)
}
