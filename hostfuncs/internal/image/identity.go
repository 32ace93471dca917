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

// Identity is by which digests an image is known; each is sha256:<64 hexadecimal
// digits>. It is a value: what learns more of an image gives a new one.
//
// # Notes
//
// A configuration says what is in an image, and has the same digest wherever the
// image is. A manifest says how it is packed: a registry, an OCI layout and an
// engine with containerd's image store name the image by the manifest's digest,
// or the index's where the image is for several platforms. Other engines name it
// by the configuration's.
type Identity struct {
	// Config is the digest of the configuration, empty where it is not known and
	// where there are several.
	Config string
	// Manifests are the digests of the image's manifests or indexes, the one by
	// which a deployment names it first.
	Manifests []string
	// Engine is by which digest the engine that holds the image knows it, empty
	// where none does.
	Engine string
}

// ID is by which digest an engine runs the image: the one that holds it, or else
// one that it is loaded into.
func (i Identity) ID() string { return cmp.Or(i.Engine, i.Config, i.Digest()) }

// Digest is the digest by which a deployment names the image, empty where it has
// no manifest yet.
func (i Identity) Digest() string {
	if len(i.Manifests) == 0 {
		return ""
	}
	return i.Manifests[0]
}

// OtherDigests are those of further manifests.
func (i Identity) OtherDigests() []string { return i.Manifests[min(1, len(i.Manifests)):] }

// Pushed is the image where a registry has it, by the digest of a manifest.
func (i Identity) Pushed(digest string) Identity {
	others := slices.DeleteFunc(slices.Clone(i.Manifests), func(d string) bool { return d == digest })
	i.Manifests = append([]string{digest}, others...)
	return i
}

// Written is the image where a layout has it, by the digest of a manifest.
func (i Identity) Written(digest string) Identity {
	if !slices.Contains(i.Manifests, digest) {
		i.Manifests = append(slices.Clone(i.Manifests), digest)
	}
	return i
}

// Loaded is the image where an engine holds it, which knows it by held.
func (i Identity) Loaded(held Identity) Identity {
	i.Engine = held.Engine
	return i
}

// HasManifest reports whether the engine that holds the image has a manifest of it.
func (i Identity) HasManifest() bool { return slices.Contains(i.Manifests, i.Engine) }

// IsSame reports whether a copy is one of the image: by their manifests, or by the
// configuration where one of them has none.
func (i Identity) IsSame(copied Identity) bool {
	if len(i.Manifests) > 0 && len(copied.Manifests) > 0 {
		return slices.Contains(i.Manifests, copied.Digest())
	}
	return i.Config != "" && i.Config == copied.Config
}

// IsID reports whether a text is a SHA-256 digest, as engines name images.
func IsID(text string) bool { return imageID().MatchString(text) }

var imageID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256:[0-9a-f]{64}$`) })

// Check returns an error if an engine reported something other than digests: they
// are written to files, signed, and sent to a provider.
func (i Identity) Check() error {
	for _, told := range append([]string{i.Config, i.Engine}, i.Manifests...) {
		if told != "" && !IsID(told) {
			return &Error{Message: "the engine names the image " + termtext.Line(strconv.Quote(told), 100) + ", which is not a digest"}
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
