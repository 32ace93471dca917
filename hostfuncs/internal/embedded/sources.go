package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// Push pushes the image to a registry and returns its digest there. The credentials
// may be nil.
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

// FromDecided finds the images that a build may use, in OCI layouts or registries.
// written returns a reference as the build writes it.
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

// FromRegistry finds images in their registries. The credentials may be nil.
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

// remoteOptions send credentials to the image's registry only.
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

// FromStored finds images in OCI layouts by their full references, and others with
// next, which may be nil.
func FromStored(stored map[string]image.Stored, next Base) Base {
	return func(ctx context.Context, ref string, platform v1.Platform) (Found, error) {
		at, ok := stored[ref]
		if ok {
			s := search{at: at, platform: platform, left: maxManifests}
			found, err := s.image(at.Digest, 0)
			return Found{Image: found, Digest: at.Digest.String()}, err
		}
		if next == nil {
			return Found{}, errors.New("cannot pull images")
		}
		return next(ctx, ref, platform)
	}
}

const (
	maxManifests = 1000 // read in search of an image
	maxIndexes   = 2    // nested below the first
)

// search looks for an image for a platform.
type search struct {
	at       image.Stored
	platform v1.Platform
	left     int // manifests to read at most
}

// image returns the first image of a manifest or index. Nested indexes are searched
// too.
func (s *search) image(of digest.Digest, depth int) (v1.Image, error) {
	if s.left--; s.left < 0 {
		return nil, fmt.Errorf("it has more than %d manifests", maxManifests)
	}
	raw, err := s.at.Manifest(of)
	if err != nil {
		return nil, err
	}
	var m struct {
		v1.Manifest
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("%s is not a manifest: %w", of, err)
	}
	if len(m.Manifests) == 0 {
		return partial.CompressedToImage(&storedCore{at: s.at, raw: raw, manifest: m.Manifest})
	}
	for _, d := range m.Manifests {
		index := d.MediaType.IsIndex() && depth < maxIndexes
		if !index && (!d.MediaType.IsImage() || d.Platform != nil && !d.Platform.Satisfies(s.platform)) {
			continue
		}
		found, err := s.image(digest.Digest(d.Digest.String()), depth+1)
		if err == nil || !index || s.left < 0 {
			return found, err
		}
	}
	return nil, fmt.Errorf("no image for %s", s.platform)
}

// storedCore is the interface to a stored image for go-containerregistry.
type storedCore struct {
	at       image.Stored
	raw      []byte
	manifest v1.Manifest
}

func (c *storedCore) RawManifest() ([]byte, error)        { return c.raw, nil }
func (c *storedCore) MediaType() (types.MediaType, error) { return c.manifest.MediaType, nil }

func (c *storedCore) RawConfigFile() ([]byte, error) {
	return c.at.Manifest(digest.Digest(c.manifest.Config.Digest.String()))
}

func (c *storedCore) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	for _, d := range c.manifest.Layers {
		if d.Digest == h {
			return &storedLayer{c.at, d}, nil
		}
	}
	return nil, fmt.Errorf("the image has no layer %s", h)
}

type storedLayer struct {
	at image.Stored
	d  v1.Descriptor
}

func (l *storedLayer) Digest() (v1.Hash, error)            { return l.d.Digest, nil }
func (l *storedLayer) Size() (int64, error)                { return l.d.Size, nil }
func (l *storedLayer) MediaType() (types.MediaType, error) { return l.d.MediaType, nil }

func (l *storedLayer) Compressed() (io.ReadCloser, error) {
	of := digest.Digest(l.d.Digest.String())
	f, err := l.at.Open(of)
	if err != nil {
		return nil, err
	}
	return &verifying{f, of, of.Verifier()}, nil
}

// verifying is a blob whose last Read fails if its digest is wrong.
type verifying struct {
	io.ReadCloser
	digest   digest.Digest
	verifier digest.Verifier
}

func (v *verifying) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	_, _ = v.verifier.Write(p[:n])
	if errors.Is(err, io.EOF) && !v.verifier.Verified() {
		err = fmt.Errorf("the layer %s does not have the digest in its name", v.digest)
	}
	return n, err
}
