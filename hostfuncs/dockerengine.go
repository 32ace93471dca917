package hostfuncs

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// dockerEngine builds with the BuildKit of a Docker engine, and where it has
// none, by the classic build API.
type dockerEngine struct {
	*docker.Engine
	world *World
}

func (e *dockerEngine) Build(ctx context.Context, j job) (image.Image, error) {
	is, err := e.Describe(ctx)
	if err != nil {
		return image.Image{}, err
	}
	e.world.Log(abi.LevelDebug, "building with "+is+" at "+e.Address())
	built, err := e.build(ctx, j)
	if err != nil {
		return built, err
	}
	for _, out := range j.options.Outputs {
		if err := e.save(ctx, built, j.Tags, out); err != nil {
			return built, err
		}
	}
	if !j.push {
		return built, nil
	}
	// The first reference is the result's, and goes last.
	for i := len(j.Tags) - 1; i >= 0; i-- {
		if built.Digest, err = e.PushImage(ctx, built.ID, j.Tags[i], j.lines("pushing "+j.Tags[i])); err != nil {
			return built, err
		}
	}
	return built, nil
}

func (e *dockerEngine) build(ctx context.Context, j job) (image.Image, error) {
	b, err := buildkit.InEngine(ctx, e.Address(), e.Hijack)
	if none, ok := errors.AsType[*buildkit.UnavailableError](err); ok && !none.Slow {
		return e.buildFirst(ctx, j)
	}
	if err != nil {
		return image.Image{}, err
	}
	defer b.Close()
	built, err := j.show(ctx, b, buildkit.Options{Auth: e.world.authOf(j, away(e.Address()))})
	// What the engine itself calls a digest is no registry's.
	built.Digest = ""
	return built, err
}

// buildFirst builds with the engine's first builder.
func (e *dockerEngine) buildFirst(ctx context.Context, j job) (image.Image, error) {
	if lacks := firstLacks(j.Build); lacks != "" {
		return image.Image{}, &image.Error{Message: "this engine has no BuildKit, which is needed for " + lacks}
	}
	out := j.lines("building with the engine's first builder")
	fmt.Fprintln(out, "the engine has no BuildKit: its first builder is used, which takes longer")
	return e.Engine.Build(ctx, j.Build, out)
}

// firstLacks is what a build needs and the first builder hasn't, if anything.
func firstLacks(b image.Build) string {
	switch {
	case len(b.Platforms) > 0:
		return "platforms"
	case len(b.Secrets) > 0:
		return "secrets"
	case len(b.CacheFrom)+len(b.CacheTo) > 0:
		return "a cache in a registry"
	case len(b.Stored) > 0:
		return "images in OCI layouts"
	case b.Syntax != "":
		return "a frontend of its own (" + b.Syntax + ")"
	}
	return ""
}

// save has the engine give an image out, by the names that it is to have there.
// They have to be the image's still, which others may build under as well.
func (e *dockerEngine) save(ctx context.Context, built image.Image, tags []string, out Output) error {
	names := tags
	if len(names) == 0 {
		names = []string{built.ID}
	}
	archive, err := e.Save(ctx, names)
	if err != nil {
		return err
	}
	defer archive.Close()
	taken, err := out.take(archive, false)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := e.wantNamed(ctx, built, name); err != nil {
			taken.Discard()
			return err
		}
	}
	return taken.Commit()
}

func (e *dockerEngine) wantNamed(ctx context.Context, built image.Image, name string) error {
	found, _, err := e.Find(ctx, name)
	if err == nil && found.ID != built.ID {
		err = &image.Error{Message: name + " is another image by now: something else was built under that name meanwhile"}
	}
	return err
}
