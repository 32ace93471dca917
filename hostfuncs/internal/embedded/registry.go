package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
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

// FromLayouts finds images in OCI layouts: each is a folder, by the full
// reference of the image that it takes the place of. All others next finds.
func FromLayouts(folders map[string]string, next Base) Base {
	return func(ctx context.Context, ref string, platform v1.Platform) (Found, error) {
		dir, ok := folders[ref]
		if ok {
			return fromLayout(dir, platform)
		}
		if next == nil {
			return Found{}, errors.New("no image can be pulled here")
		}
		return next(ctx, ref, platform)
	}
}

func fromLayout(dir string, platform v1.Platform) (Found, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return Found{}, err
	}
	found, err := fromIndex(index, platform, 0)
	if err != nil {
		return Found{}, err
	}
	digest, err := found.Digest()
	return Found{Image: found, Digest: digest.String()}, err
}

// fromIndex is the first image for a platform. An index in an index is looked
// into as well.
func fromIndex(index v1.ImageIndex, platform v1.Platform, depth int) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, d := range manifest.Manifests {
		switch {
		case d.MediaType.IsIndex() && depth < 2:
			below, err := index.ImageIndex(d.Digest)
			if err != nil {
				return nil, err
			}
			if found, err := fromIndex(below, platform, depth+1); err == nil {
				return found, nil
			}
		case d.MediaType.IsImage() && (d.Platform == nil || d.Platform.Satisfies(platform)):
			return index.Image(d.Digest)
		}
	}
	return nil, fmt.Errorf("it has no image for %s", platform)
}
