// Package embedded builds images with no daemon, no engine and no root, from
// Dockerfiles that run nothing: files are copied, and an image's settings set,
// as BuildKit would do it. The same inputs give the same image on any machine.
package embedded

import (
	"context"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// Options are those of a build besides the [image.Build].
type Options struct {
	Name     string            // of the Dockerfile, for errors; empty is its file's name
	Text     []byte            // the Dockerfile, as it was decided on
	Labels   map[string]string // to set beside those of the Dockerfile
	Platform string            // such as linux/arm64; empty is Linux on this machine's processor
	// Epoch is the time of files without one, and the latest time of all others.
	// Nil is the build's argument SOURCE_DATE_EPOCH, or else 1970.
	Epoch *time.Time
	Base  Base   // finds the images that the Dockerfile names; nil refuses them
	Temp  string // the directory for temporary files; empty is the system's
	// Step gets each instruction as it begins, such as "[2/3] COPY . /app", as
	// text that is safe to print.
	Step func(string)
}

// Base finds an image by its full reference, for a platform. What it gives has
// to check the digest of what it reads, as those of go-containerregistry do.
type Base func(ctx context.Context, ref string, platform v1.Platform) (Found, error)

// Found is an image for a platform.
type Found struct {
	Image v1.Image
	// Digest is that of the reference, which may be an index of images
	// for several platforms; empty when it is not known.
	Digest string
}

// Build builds an image from a context, which it reads by [image.Open]. The
// image must be closed: it is in files below o.Temp until then, and ctx
// bounds what it does with them as well.
//
// # Notes
//
// COPY --link is COPY, as with a BuildKit that cannot merge layers. What is not
// BuildKit's: a file of the context is 0644, or 0755 if its owner may execute
// it, and has no other time than o.Epoch; names that are one file in the
// context are several in the image. So the image is the same from any checkout.
//
// # Errors
//
// A [*dockerfile.Error], with the line, for what cannot be built; what needs an
// engine is found before anything is read or pulled, as [Can] finds it. That of
// ctx when it is done. After an error there is nothing left in o.Temp.
func Build(ctx context.Context, b image.Build, o Options) (_ *Image, err error) {
	if err := b.Check(); err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = filepath.Base(b.Dockerfile)
	}
	on, err := On(dockerfile.Options{Target: b.Target, Args: b.Args, Platform: o.Platform})
	if err != nil {
		return nil, err
	}
	file, err := dockerfile.Parse(o.Name, o.Text)
	if err != nil {
		return nil, err
	}
	plan, err := can(file, on)
	if err != nil {
		return nil, err
	}
	b.Takes = append([]dockerfile.Take{}, plan.Uses().Takes...)
	source, err := image.Open(b)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	store, err := newStore(ctx, o.Temp)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = store.remove()
		}
	}()
	builder, err := newBuilder(store, plan, source, o, on.Platform)
	if err != nil {
		return nil, err
	}
	return builder.run()
}
