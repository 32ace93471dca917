package build

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// dockerEngine builds with the BuildKit of a Docker engine, or by the classic
// build API if the engine does not have BuildKit, such as Podman.
type dockerEngine struct {
	*docker.Engine
	describe func(string) // nil for none
}

func (e *dockerEngine) Build(ctx context.Context, j job) (image.Image, error) {
	if e.describe != nil {
		about, err := e.Describe(ctx)
		if err != nil {
			return image.Image{}, err
		}
		e.describe("building with " + about + " at " + e.Address())
	}
	// A frontend that the Dockerfile names reads it as current BuildKit does.
	if j.Syntax == "" {
		if err := e.CheckMisread(ctx, j.Misread); err != nil {
			return image.Image{}, err
		}
	}
	built, err := e.build(ctx, j)
	if err != nil {
		return built, err
	}
	for _, out := range j.outputs {
		if built.Identity, err = e.save(ctx, built.Identity, j.Tags, out); err != nil {
			return built, err
		}
	}
	if j.push {
		built.Identity, err = e.push(ctx, j, built.Identity)
	}
	return built, err
}

func (e *dockerEngine) build(ctx context.Context, j job) (image.Image, error) {
	b, err := e.buildKit(ctx)
	if err != nil {
		return image.Image{}, err
	}
	if b == nil {
		out := j.progress.Lines("building by the classic build API")
		fmt.Fprintln(out, "the engine does not have BuildKit: building by its classic build API, which takes longer")
		built, err := e.BuildClassic(ctx, j.Build, out)
		return built, noteShown(err, j.progress.ShowsLines())
	}
	defer b.Close()
	return solve(ctx, b, j, buildkit.Options{Auth: authFor(j, e.Credentials, isRemote(e.Address()))})
}

// buildKit connects to the engine's BuildKit; nil means that it has none.
func (e *dockerEngine) buildKit(ctx context.Context) (*buildkit.Builder, error) {
	b, err := buildkit.InEngine(ctx, e.Address(), e.Hijack)
	if none, ok := errors.AsType[*buildkit.UnavailableError](err); ok && !none.Slow {
		return nil, nil
	}
	return b, err
}

// platform is what the engine's BuildKit reports to a Dockerfile.
func (e *dockerEngine) platform(ctx context.Context) (string, error) {
	b, err := e.buildKit(ctx)
	if err != nil {
		return "", err
	}
	if b == nil {
		// Podman 4.3 sets these variables only if an ARG declares them, and
		// resolves no stage with them; Docker's classic build API does not set them.
		return "", fmt.Errorf("the engine at %s does not have BuildKit, which reports the platform to a Dockerfile", e.Address())
	}
	defer b.Close()
	return b.Platform(ctx)
}

// push pushes the first reference last: its digest is the result's.
func (e *dockerEngine) push(ctx context.Context, j job, built image.Identity) (image.Identity, error) {
	for _, tag := range slices.Backward(j.Tags) {
		digest, err := e.PushImage(ctx, built.ID(), tag, j.progress.Lines("pushing "+tag))
		if err != nil {
			return built, err
		}
		built = built.Pushed(digest)
	}
	return built, nil
}

// save writes an image to an output under its names. A concurrent build may have
// given them to another image, which is an error.
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
	// An engine that has a manifest of the image saves an OCI layout.
	staged, err := out.stage(archive, built.HasManifest(), tags)
	if err != nil {
		return built, err
	}
	if err := e.checkSaved(ctx, built, staged.image, names); err != nil {
		staged.Discard()
		return built, err
	}
	return staged.addTo(built), staged.Commit()
}

// checkSaved checks that the saved image is the one that was built: by its
// digests, or by those that its names have now if it was saved to a file.
func (e *dockerEngine) checkSaved(ctx context.Context, built, saved image.Identity, names []string) error {
	taken := func(name string) error {
		return &image.Error{Message: "another build has given the name " + name + " to its image meanwhile"}
	}
	if saved.Digest() != "" {
		if !built.IsSame(saved) {
			return taken(names[0])
		}
		return nil
	}
	for _, name := range names {
		found, _, err := e.Find(ctx, name)
		if err != nil {
			return err
		}
		if found.Engine != built.Engine {
			return taken(name)
		}
	}
	return nil
}

// findLoaded finds a loaded image by any of its digests.
func (e *dockerEngine) findLoaded(ctx context.Context, built image.Identity) (image.Identity, error) {
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
	return built, &image.Error{Message: "the engine loaded the image and does not find it by any of its digests"}
}
