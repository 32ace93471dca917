package hostfuncs

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	if j.options.Describe {
		is, err := e.Describe(ctx)
		if err != nil {
			return image.Image{}, err
		}
		e.world.Log(abi.LevelDebug, "building with "+is+" at "+e.Address())
	}
	// A frontend that the Dockerfile names reads it as BuildKit of today does.
	if j.Syntax == "" {
		if err := e.CheckMisread(ctx, j.Misread); err != nil {
			return image.Image{}, err
		}
	}
	built, err := e.build(ctx, j)
	if err != nil {
		return built, err
	}
	for _, out := range j.options.Outputs {
		if built.Identity, err = e.save(ctx, built.Identity, j.Tags, out); err != nil {
			return built, err
		}
	}
	if !j.push {
		return built, nil
	}
	// The first reference is the result's, and goes last.
	for i := len(j.Tags) - 1; i >= 0; i-- {
		digest, err := e.PushImage(ctx, built.ID(), j.Tags[i], j.lines("pushing "+j.Tags[i]))
		if err != nil {
			return built, err
		}
		built.Identity = built.Pushed(digest)
	}
	return built, nil
}

func (e *dockerEngine) build(ctx context.Context, j job) (image.Image, error) {
	b, err := buildkit.InEngine(ctx, e.Address(), e.Hijack)
	if none, ok := errors.AsType[*buildkit.UnavailableError](err); ok && !none.Slow {
		return e.buildClassic(ctx, j)
	}
	if err != nil {
		return image.Image{}, err
	}
	defer b.Close()
	return j.show(ctx, b, buildkit.Options{Auth: e.world.authOf(j, away(e.Address()))})
}

// buildClassic builds by the engine's classic build API.
func (e *dockerEngine) buildClassic(ctx context.Context, j job) (image.Image, error) {
	out := j.lines("building by the classic build API")
	fmt.Fprintln(out, "the engine does not have BuildKit: building by its classic build API, which takes longer")
	built, err := e.BuildClassic(ctx, j.Build, out)
	return built, seen(err, j.options.Mode != "quiet" && j.options.Mode != "rawjson")
}

// save has the engine give an image out, by the names that it is to have there.
// They have to be the image's still, which others may build under as well. What
// comes of it is the image with what an output made of it.
func (e *dockerEngine) save(ctx context.Context, built image.Identity, tags []string, out Output) (image.Identity, error) {
	names := tags
	if len(names) == 0 {
		names = []string{built.ID()}
	}
	archive, err := e.Save(ctx, names)
	if err != nil {
		return built, err
	}
	defer archive.Close()
	// An engine that has a manifest of an image gives out an OCI layout.
	taken, err := out.take(archive, built.HasManifest(), tags)
	if err != nil {
		return built, err
	}
	if err := e.wantSaved(ctx, built, taken.image, names); err != nil {
		taken.Discard()
		return built, err
	}
	return taken.written(built), taken.Commit()
}

// wantSaved wants what was saved to be the image that was built. Of a layout that
// is seen, of a file it is asked for by the names that it was saved by.
func (e *dockerEngine) wantSaved(ctx context.Context, built, saved image.Identity, names []string) error {
	if saved.Digest() != "" {
		if !built.IsSame(saved) {
			return errTaken(names[0])
		}
		return nil
	}
	for _, name := range names {
		found, _, err := e.Find(ctx, name)
		if err != nil {
			return err
		}
		if found.Engine != built.Engine {
			return errTaken(name)
		}
	}
	return nil
}

func errTaken(name string) error {
	return &image.Error{Message: name + " is another image by now: something else was built under that name meanwhile"}
}

// wantLoaded finds an image that the engine was given, whatever it knows it by.
func (e *dockerEngine) wantLoaded(ctx context.Context, built image.Identity) (image.Identity, error) {
	for _, digest := range append(slices.Clone(built.Manifests), built.Config) {
		if digest == "" {
			continue
		}
		found, ok, err := e.Find(ctx, digest)
		if err != nil {
			return built, err
		}
		if ok {
			return built.Loaded(found), nil
		}
	}
	return built, &image.Error{Message: "the engine took the image and has none of its digests now"}
}
