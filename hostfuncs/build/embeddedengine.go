package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/embedded"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// embeddedEngine builds without a daemon. It keeps no image, so that one has to
// go somewhere.
type embeddedEngine struct{ world *World }

func (embeddedEngine) Close() error { return nil }

// errNowhere says that an image would be built for nobody.
var errNowhere = errors.New("the embedded builder keeps no images: say with --output, --load or --push where this one goes")

// embeddedLacks is what a build needs and the embedded builder hasn't, if
// anything.
func embeddedLacks(j job) error {
	switch {
	case len(j.Platforms) > 1:
		return errors.New("the embedded builder builds for one platform at a time")
	case len(j.CacheFrom)+len(j.CacheTo) > 0:
		return errors.New("the embedded builder has no cache")
	case len(j.options.Outputs) == 0 && !j.options.Load && !j.push:
		return errNowhere
	}
	return nil
}

func (e embeddedEngine) Build(ctx context.Context, j job) (image.Image, error) {
	o := embedded.Options{Text: j.Text, Labels: j.Labels, Base: e.base(j)}
	if len(j.Platforms) > 0 {
		o.Platform = j.Platforms[0]
	}
	display, err := buildkit.NewDisplay(j.options.Progress, j.options.Mode, j.mask)
	if err != nil {
		return image.Image{}, err
	}
	defer display.Close()
	o.Step = display.Step
	made, err := embedded.Build(ctx, j.Build, o)
	if err != nil {
		display.Fail(err)
		return image.Image{}, embeddedError(err)
	}
	defer made.Close()
	built := image.Image{Bases: made.Bases}
	if built.Identity, err = made.Identity(); err != nil {
		return built, err
	}
	built.Identity, err = e.deliver(ctx, j, made, built.Identity, display)
	return built, err
}

// deliver puts the image where it should go, and says where it is then.
func (e embeddedEngine) deliver(ctx context.Context, j job, made *embedded.Image, built image.Identity, display *buildkit.Display) (image.Identity, error) {
	for _, out := range j.options.Outputs {
		display.Step("writing " + out.String())
		taken, err := writeEmbedded(made, out, j.Tags)
		if err == nil {
			err = taken.Commit()
		}
		if err != nil {
			return built, err
		}
	}
	if j.options.Load {
		display.Step("loading into the Docker engine")
		var err error
		if built, err = e.load(ctx, made, built, j.Tags); err != nil {
			return built, err
		}
	}
	if !j.push {
		return built, nil
	}
	for i := len(j.Tags) - 1; i >= 0; i-- {
		display.Step("pushing " + j.Tags[i])
		options, err := e.world.remote(j.Tags[i])
		if err != nil {
			return built, err
		}
		digest, err := made.Push(ctx, j.Tags[i], options...)
		if err != nil {
			return built, fmt.Errorf("push: %w", err)
		}
		built = built.Pushed(digest)
	}
	return built, nil
}

func writeEmbedded(made *embedded.Image, out Output, tags []string) (parcel, error) {
	if out.Layout {
		return out.layout(func() (*image.Layout, error) { return made.Layout(out.Path, tags) })
	}
	return out.file(func(w io.Writer) error { return made.WriteTar(w, tags) })
}

// errUnread is for what the engine doesn't want to read any more.
var errUnread = errors.New("the engine reads no more")

func (e embeddedEngine) load(ctx context.Context, made *embedded.Image, built image.Identity, tags []string) (image.Identity, error) {
	engine, err := e.world.connectDocker(ctx)
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
	// What could not be written is why the engine got no image.
	if failed := <-written; failed != nil && !errors.Is(failed, errUnread) {
		return built, failed
	}
	if err != nil {
		return built, err
	}
	return engine.wantLoaded(ctx, built)
}

// embeddedError gives what can't be built its line.
func embeddedError(err error) error {
	if e, ok := errors.AsType[*dockerfile.Error](err); ok {
		return &image.Error{Line: e.Line, Message: e.Message}
	}
	return err
}

// base finds the base images that were decided on: in a layout, or in their
// registries.
func (e embeddedEngine) base(j job) embedded.Base {
	find := embedded.FromStored(j.Stored, func(ctx context.Context, ref string, platform v1.Platform) (embedded.Found, error) {
		if !slices.Contains(j.Bases, ref) {
			return embedded.Found{}, errors.New("the image was not decided on")
		}
		options, err := e.world.remote(ref)
		if err != nil {
			return embedded.Found{}, err
		}
		return embedded.FromRegistry(options...)(ctx, ref, platform)
	})
	return func(ctx context.Context, ref string, platform v1.Platform) (embedded.Found, error) {
		decided, err := capability.Reference(ref)
		if err != nil {
			return embedded.Found{}, err
		}
		return find(ctx, decided, platform)
	}
}

// remote has a registry asked with the user's credentials for it, which go to
// nobody else.
func (w *World) remote(ref string) ([]remote.Option, error) {
	host, err := registry.HostOf(ref)
	if err != nil {
		return nil, err
	}
	return []remote.Option{
		remote.WithAuthFromKeychain(w.registries().Keychain()), remote.WithTransport(registry.Transport(host, nil)),
	}, nil
}
