package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/embedded"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// embeddedBuilder builds without an engine. It does not keep images.
type embeddedBuilder struct {
	engines engines // to load the image into a Docker engine
}

func (embeddedBuilder) Close() error { return nil }

func (e embeddedBuilder) Build(ctx context.Context, j job) (image.Image, error) {
	o := embedded.Options{Text: j.Text, Labels: j.Labels, Base: embedded.FromDecided(j.Build, e.engines.credentials, capability.Reference)}
	if len(j.Platforms) > 0 {
		o.Platform = j.Platforms[0]
	}
	display, err := j.progress.Display()
	if err != nil {
		return image.Image{}, err
	}
	defer display.Close()
	o.Step = display.Step
	made, err := embedded.Build(ctx, j.Build, o)
	if err != nil {
		display.Fail(err)
		if e, ok := errors.AsType[*dockerfile.Error](err); ok {
			err = &image.Error{Line: e.Line, Message: e.Message}
		}
		return image.Image{}, err
	}
	defer made.Close()
	built := image.Image{Bases: made.Bases}
	if built.Identity, err = made.Identity(); err != nil {
		return built, err
	}
	built.Identity, err = e.deliver(ctx, j, made, built.Identity, display)
	return built, err
}

// deliver writes, loads and pushes an image. Its result has the digests that it
// got there.
func (e embeddedBuilder) deliver(ctx context.Context, j job, made *embedded.Image, built image.Identity, display *buildkit.Display) (image.Identity, error) {
	for _, out := range j.outputs {
		display.Step("writing " + out.String())
		staged, err := stageEmbedded(made, out, j.Tags)
		if err == nil {
			err = staged.Commit()
		}
		if err != nil {
			return built, err
		}
	}
	if j.load {
		display.Step("loading into the Docker engine")
		var err error
		if built, err = e.load(ctx, made, built, j.Tags); err != nil {
			return built, err
		}
	}
	if !j.push {
		return built, nil
	}
	for _, tag := range slices.Backward(j.Tags) {
		display.Step("pushing " + tag)
		digest, err := made.Push(ctx, tag, e.engines.credentials)
		if err != nil {
			return built, fmt.Errorf("push: %w", err)
		}
		built = built.Pushed(digest)
	}
	return built, nil
}

func stageEmbedded(made *embedded.Image, out Output, tags []string) (stagedOutput, error) {
	if out.Layout {
		return out.stageLayout(func() (*image.Layout, error) { return made.Layout(out.Path, tags) })
	}
	return out.stageFile(func(w io.Writer) error { return made.WriteTar(w, tags) })
}

// errUnread ends the writing of an image that the engine has stopped reading.
var errUnread = errors.New("the engine has stopped reading")

func (e embeddedBuilder) load(ctx context.Context, made *embedded.Image, built image.Identity, tags []string) (image.Identity, error) {
	engine, err := e.engines.docker(ctx)
	if err != nil {
		return built, err
	}
	defer engine.Close()
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := made.WriteTar(w, tags)
		w.CloseWithError(err)
		written <- err
	}()
	err = engine.Load(ctx, r)
	r.CloseWithError(errUnread)
	// If the image could not be written, the engine's error is a consequence.
	if failed := <-written; failed != nil && !errors.Is(failed, errUnread) {
		return built, failed
	}
	if err != nil {
		return built, err
	}
	return engine.findLoaded(ctx, built)
}
