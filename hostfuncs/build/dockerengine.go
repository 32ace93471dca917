package build

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
		return e.buildFirst(ctx, j)
	}
	if err != nil {
		return image.Image{}, err
	}
	defer b.Close()
	return j.show(ctx, b, buildkit.Options{Auth: e.world.authOf(j, away(e.Address()))})
}

// buildFirst builds with the engine's first builder.
func (e *dockerEngine) buildFirst(ctx context.Context, j job) (image.Image, error) {
	if lacks := firstLacks(j.Build); lacks != "" {
		return image.Image{}, &image.Error{Message: "this engine has no BuildKit, which is needed for " + lacks}
	}
	out := j.lines("building with the engine's first builder")
	fmt.Fprintln(out, "the engine has no BuildKit: its first builder is used, which takes longer")
	built, err := e.Engine.Build(ctx, j.Build, out)
	return built, seen(err, j.options.Mode != "quiet" && j.options.Mode != "rawjson")
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
