package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// daemon builds with a BuildKit daemon, which exports and pushes by itself.
type daemon struct {
	*buildkit.Builder
	engines engines // to load the image into a Docker engine
	remote  bool    // it is on another machine
}

func (d *daemon) Build(ctx context.Context, j job) (image.Image, error) {
	o := buildkit.Options{Push: j.push, Auth: authFor(j, d.engines.credentials, d.remote)}
	var streams []*stagedStream
	for _, out := range j.outputs {
		streams = append(streams, out.stream(j.Tags))
	}
	var into *dockerEngine
	if j.load {
		var err error
		if into, err = d.engines.docker(ctx); err != nil {
			return image.Image{}, err
		}
		defer into.Close()
		streams = append(streams, &stagedStream{stage: func(r io.Reader) (stagedOutput, error) { return stagedOutput{file: loaded{}}, into.Load(ctx, r) }})
	}
	for _, s := range streams {
		if s.layout {
			o.Layouts = append(o.Layouts, s.open)
		} else {
			o.Archives = append(o.Archives, s.open)
		}
	}
	if len(streams) == 0 && !j.push {
		fmt.Fprintln(j.progress.Lines("where the image goes"), "the image stays in the daemon's cache only: use --push, --load or --output to send it elsewhere")
	}
	built, err := solve(ctx, d.Builder, j, o)
	for _, s := range streams {
		err = s.finish(err)
	}
	if err != nil {
		return built, err
	}
	for _, s := range streams {
		built.Identity = s.staged.addTo(built.Identity)
	}
	if into != nil {
		built.Identity, err = into.findLoaded(ctx, built.Identity)
	}
	return built, err
}

// solve builds with BuildKit and shows its progress.
func solve(ctx context.Context, b *buildkit.Builder, j job, o buildkit.Options) (image.Image, error) {
	display, err := j.progress.Display()
	if err != nil {
		return image.Image{}, err
	}
	defer display.Close()
	o.Key, o.Status = j.cacheKey, display.Show
	built, err := b.Build(ctx, j.Build, o)
	return built, noteShown(err, display.Streams())
}

// noteShown notes in the error of a failed step whether the user has seen the
// step's output.
func noteShown(err error, shown bool) error {
	if failed, ok := errors.AsType[*image.Error](err); ok {
		failed.Shown = shown
	}
	return err
}

// authFor offers BuildKit the credentials for the registries of the base images,
// the cache, and the image if it is pushed. To a remote daemon, the names of the
// loopback mean another machine.
func authFor(j job, credentials *registry.Credentials, remote bool) buildkit.Auth {
	var all []buildkit.Access
	add := func(push bool, refs ...string) {
		for _, ref := range refs {
			access, err := buildkit.AccessTo(ref, push)
			at := url.URL{Host: access.Host}
			if err == nil && !(remote && isLoopback(at.Hostname())) {
				all = append(all, access)
			}
		}
	}
	add(false, slices.Concat(j.Bases, j.CacheFrom)...)
	if j.Syntax != "" {
		add(false, j.Syntax)
	}
	for _, c := range j.CacheTo {
		add(true, c.Ref)
	}
	if j.push {
		add(true, j.Tags...)
	}
	return buildkit.NewAuth(credentials, registry.NewClient(nil), all)
}
