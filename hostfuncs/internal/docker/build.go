package docker

import (
	"context"
	"io"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// Build builds an image with the engine's first builder.
//
// The context goes to the engine as it is read, so that memory doesn't grow
// with it: links as links, what can't be sent left out (see [image.Context.Leave]),
// everything owned by root, modes and times (in seconds) kept. What
// <Dockerfile>.dockerignore names stays behind, or where there is none, what
// .dockerignore in the context names.
//
// Podman is told to ignore the Dockerfile, which has a name of its own, and nothing
// else, see [image.Context.StreamApart]. Another engine gets the Dockerfile and
// .dockerignore in any case, and takes those that are named out again. With
// <Dockerfile>.dockerignore, or with a Dockerfile from outside of the context, it
// gets a .dockerignore that serves this in place of the context's own one; no step
// sees that with the former, or when there was none.
//
// What the engine tells goes to progress as plain text, a line in each Write.
// An error there stops nothing; nil is no progress.
//
// # Errors
//
// An [*image.Error] when the engine refuses the build or a step of it fails, a
// [*UnavailableError] when it is out of reach, ctx's error when it is done. The
// engine ends the step that runs then. A file of the context that can't be
// read, or is written meanwhile, is an error with its name.
//
// # Notes
//
// Base images are pulled without credentials.
func (e *Engine) Build(ctx context.Context, b image.Build, progress io.Writer) (image.Image, error) {
	if err := b.Check(); err != nil {
		return image.Image{}, err
	}
	c, err := image.Open(b)
	if err != nil {
		return image.Image{}, err
	}
	return e.buildClassic(ctx, b, c, newPrinter(progress))
}
