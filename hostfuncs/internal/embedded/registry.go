package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// Push pushes the image to a registry with a user's credentials, nil for none,
// and returns its digest there.
func (i *Image) Push(ctx context.Context, tag string, c *registry.Credentials) (string, error) {
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
	options, err := remoteOptions(ctx, named.String(), c)
	if err != nil {
		return "", err
	}
	if err := remote.Write(ref, made, options...); err != nil {
		return "", fmt.Errorf("%s: %w", tag, err)
	}
	return i.Digest()
}

// FromDecided finds the images that a build may use: in OCI layouts, or in their
// registries with a user's credentials. written gives a reference as the build
// writes it.
func FromDecided(b image.Build, c *registry.Credentials, written func(ref string) (string, error)) Base {
	pull := FromRegistry(c)
	find := FromStored(b.Stored, func(ctx context.Context, ref string, platform v1.Platform) (Found, error) {
		if !slices.Contains(b.Bases, ref) {
			return Found{}, errors.New("the image was not decided on")
		}
		return pull(ctx, ref, platform)
	})
	return func(ctx context.Context, ref string, platform v1.Platform) (Found, error) {
		decided, err := written(ref)
		if err != nil {
			return Found{}, err
		}
		return find(ctx, decided, platform)
	}
}

// FromRegistry finds images in their registries with a user's credentials, nil
// for none.
func FromRegistry(c *registry.Credentials) Base {
	return func(ctx context.Context, ref string, platform v1.Platform) (Found, error) {
		parsed, err := name.ParseReference(ref)
		if err != nil {
			return Found{}, err
		}
		options, err := remoteOptions(ctx, ref, c)
		if err != nil {
			return Found{}, err
		}
		got, err := remote.Get(parsed, append(options, remote.WithPlatform(platform))...)
		if err != nil {
			return Found{}, err
		}
		found, err := got.Image()
		return Found{Image: found, Digest: got.Digest.String()}, err
	}
}

// remoteOptions send the credentials for an image's registry to no other host.
func remoteOptions(ctx context.Context, ref string, c *registry.Credentials) ([]remote.Option, error) {
	host, err := registry.HostOf(ref)
	if err != nil {
		return nil, err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(registry.Transport(host, nil))}
	if c != nil {
		options = append(options, remote.WithAuthFromKeychain(c.Keychain()))
	}
	return options, nil
}
