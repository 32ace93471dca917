package image

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"github.com/distribution/reference"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Identity has the digests of an image, each sha256:<64 hexadecimal digits>. Methods
// return a changed copy.
//
// # Notes
//
// A configuration describes the content of an image and has the same digest
// everywhere. A manifest describes how it is packed: registries, OCI layouts and
// engines with the containerd image store name an image by the digest of its manifest,
// or of its index for several platforms. Other engines name it by the configuration's.
type Identity struct {
	// Config is the digest of the configuration, empty if unknown, or if there are
	// several.
	Config string
	// Manifests are the digests of the image's manifests or indexes. The first one is
	// for deployments.
	Manifests []string
	// Engine is the image's ID in an engine, empty if it is in none.
	Engine string
}

// ID returns the digest by which an engine runs the image: the one that has it, or one
// that it would be loaded into.
func (i Identity) ID() string { return cmp.Or(i.Engine, i.Config, i.Digest()) }

// Digest returns the digest for deployments, empty if there is no manifest yet.
func (i Identity) Digest() string {
	if len(i.Manifests) == 0 {
		return ""
	}
	return i.Manifests[0]
}

// OtherDigests returns those of further manifests.
func (i Identity) OtherDigests() []string { return i.Manifests[min(1, len(i.Manifests)):] }

// Pushed adds the manifest in a registry, as the first one.
func (i Identity) Pushed(digest string) Identity {
	others := slices.DeleteFunc(slices.Clone(i.Manifests), func(d string) bool { return d == digest })
	i.Manifests = append([]string{digest}, others...)
	return i
}

// Written adds the manifest in a layout.
func (i Identity) Written(digest string) Identity {
	if !slices.Contains(i.Manifests, digest) {
		i.Manifests = append(slices.Clone(i.Manifests), digest)
	}
	return i
}

// Loaded adds the ID in an engine, in which the image was found as loaded.
func (i Identity) Loaded(loaded Identity) Identity {
	i.Engine = loaded.Engine
	return i
}

// HasManifest reports whether the engine with the image has a manifest of it.
func (i Identity) HasManifest() bool { return slices.Contains(i.Manifests, i.Engine) }

// IsSame reports whether another identity is the same image: by the manifests, or by
// the configuration if one of them has none.
func (i Identity) IsSame(copied Identity) bool {
	if len(i.Manifests) > 0 && len(copied.Manifests) > 0 {
		return slices.Contains(i.Manifests, copied.Digest())
	}
	return i.Config != "" && i.Config == copied.Config
}

// IsID reports whether a text is a SHA-256 digest, as engines name images.
func IsID(text string) bool { return imageID().MatchString(text) }

var imageID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256:[0-9a-f]{64}$`) })

// Check requires that an engine reported digests: they are written to files, signed,
// and sent to a provider.
func (i Identity) Check() error {
	for _, digest := range append([]string{i.Config, i.Engine}, i.Manifests...) {
		if digest != "" && !IsID(digest) {
			return &Error{Message: "the engine names the image " + termtext.Line(strconv.Quote(digest), 100) + ", which is not a digest"}
		}
	}
	return nil
}

// ParseTag returns the full name of an image to build, with the registry and the
// tag. The text is a repository with or without the registry's host, and a tag or
// none, which means latest.
func ParseTag(tag string) (reference.NamedTagged, error) {
	named, err := reference.ParseNormalizedNamed(tag)
	if err != nil {
		return nil, fmt.Errorf("image tag %q: %w", tag, err)
	}
	if _, ok := named.(reference.Digested); ok {
		return nil, fmt.Errorf("image tag %q: a digest cannot be chosen; leave it out", tag)
	}
	tagged, ok := reference.TagNameOnly(named).(reference.NamedTagged)
	if !ok {
		return nil, fmt.Errorf("image tag %q: %w", tag, reference.ErrReferenceInvalidFormat)
	}
	return tagged, nil
}
