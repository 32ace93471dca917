package embedded

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// Push pushes the image to a registry, and says by which digest it is known
// there. Who asks for what, and by which transport, options say.
func (i *Image) Push(ctx context.Context, tag string, options ...remote.Option) (string, error) {
	named, err := image.ParseTag(tag)
	if err != nil {
		return "", err
	}
	ref, err := name.ParseReference(named.String())
	if err != nil {
		return "", err
	}
	made, err := i.V1()
	if err != nil {
		return "", err
	}
	if err := remote.Write(ref, made, append(options, remote.WithContext(ctx))...); err != nil {
		return "", fmt.Errorf("%s: %w", tag, err)
	}
	return i.Digest()
}

// FromRegistry finds images in their registries. Options say who asks, and by
// which transport.
func FromRegistry(options ...remote.Option) Base {
	return func(ctx context.Context, ref string, platform v1.Platform) (Found, error) {
		parsed, err := name.ParseReference(ref)
		if err != nil {
			return Found{}, err
		}
		all := append([]remote.Option{}, options...)
		told, err := remote.Get(parsed, append(all, remote.WithContext(ctx), remote.WithPlatform(platform))...)
		if err != nil {
			return Found{}, err
		}
		found, err := told.Image()
		return Found{Image: found, Digest: told.Digest.String()}, err
	}
}
