package provenance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/util/purl"
)

// Build describes a build. Empty fields are unknown and left out.
type Build struct {
	// Image is the image's reference. Digests are those by which it may be deployed, the
	// most likely first, and Config is that of its configuration; all begin with sha256:.
	Image    string
	Digests  []string
	Config   string
	External External
	Internal Internal
	// Provider is the module that built the image.
	Provider Module
	// Bases are the base images.
	Bases []Base
	// Contexts are the directories that were sent to an engine.
	Contexts []Context
	// Run is the run's ID in the audit log.
	Run               string
	Started, Finished time.Time
	// Versions are of this program and its parts, by name.
	Versions map[string]string
}

// Module is a provider, with its SHA-256 in hex.
type Module struct{ ID, SHA256 string }

// Base is an image by its reference, and its digest with the algorithm.
type Base struct{ Reference, Digest string }

// Context is a directory of the project, with the digest of its contents in a plan.
type Context struct{ Directory, SHA256 string }

// The media type of a provider: https://www.iana.org/assignments/media-types
const wasm = "application/wasm"

// contextDigest is the algorithm of a context's digest, see docs/provenance.md. It is not
// the SHA-256 of a file.
const contextDigest = "stagecraftContextV1"

var digestForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256:([0-9a-f]{64})$`) })

// ParseDigest removes sha256: from a digest.
func ParseDigest(digest string) (hex string, ok bool) {
	m := digestForm().FindStringSubmatch(digest)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// New makes a statement about a build.
//
// # Errors
//
// An image without a digest or a name cannot be the subject of a statement.
func New(b Build) (Statement, error) {
	subjects, err := b.subjects()
	if err != nil {
		return Statement{}, err
	}
	dependencies, err := b.dependencies()
	if err != nil {
		return Statement{}, err
	}
	return Statement{
		Type: StatementType, PredicateType: PredicateType,
		Subject: subjects,
		Predicate: Predicate{
			BuildDefinition: BuildDefinition{
				BuildType: BuildType, ExternalParameters: b.External, InternalParameters: b.Internal, ResolvedDependencies: dependencies,
			},
			RunDetails: RunDetails{
				Builder:  Builder{ID: BuilderID, Version: b.Versions},
				Metadata: Metadata{InvocationID: b.Run, StartedOn: timestamp(b.Started), FinishedOn: timestamp(b.Finished)},
			},
		},
	}, nil
}

// ImageConfig is the media type of a subject that is an image's configuration.
const ImageConfig = "application/vnd.oci.image.config.v1+json"

// subjects has one subject for each digest of the image. Only the first has the name,
// because in-toto requires unique names.
func (b Build) subjects() ([]Descriptor, error) {
	name, err := repository(b.Image)
	if err != nil {
		return nil, err
	}
	var list []Descriptor
	var seen []string
	for _, digest := range append(slices.Clone(b.Digests), b.Config) {
		if digest == "" || slices.Contains(seen, digest) {
			continue
		}
		seen = append(seen, digest)
		hex, ok := ParseDigest(digest)
		if !ok {
			return nil, fmt.Errorf("the image %s: %q is not a digest", b.Image, digest)
		}
		subject := Descriptor{Digest: sha256Digest(hex)}
		switch {
		case len(list) == 0:
			subject.Name = name
		case digest == b.Config:
			subject.MediaType = ImageConfig
		}
		list = append(list, subject)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("unknown digest of the image %s: a statement needs an image that docker_build built or docker_image found", b.Image)
	}
	return list, nil
}

// repository is a reference without its tag and digest.
func repository(image string) (string, error) {
	ref, err := reference.Parse(image)
	if err != nil {
		return "", fmt.Errorf("the image %q: %w", image, err)
	}
	named, ok := ref.(reference.Named)
	if !ok {
		return "", fmt.Errorf("the image %q has no name", image)
	}
	return named.Name(), nil
}

func (b Build) dependencies() ([]Descriptor, error) {
	list := []Descriptor{{Name: b.Provider.ID + ".wasm", Digest: sha256Digest(b.Provider.SHA256), MediaType: wasm}}
	for _, base := range b.Bases {
		d, err := base.descriptor()
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	for _, c := range b.Contexts {
		list = append(list, Descriptor{Name: c.Directory, Digest: map[string]string{contextDigest: c.SHA256}})
	}
	return list, nil
}

// descriptor has the same URI for the image as BuildKit's own provenance.
func (b Base) descriptor() (Descriptor, error) {
	uri, err := purl.RefToPURL("docker", b.Reference, nil)
	if err != nil {
		return Descriptor{}, fmt.Errorf("the base image %q: %w", b.Reference, err)
	}
	d := Descriptor{Name: b.Reference, URI: uri}
	if b.Digest != "" {
		algorithm, hex, ok := strings.Cut(b.Digest, ":")
		if !ok {
			return Descriptor{}, fmt.Errorf("the base image %s: %q is not a digest", b.Reference, b.Digest)
		}
		d.Digest = map[string]string{algorithm: hex}
	}
	return d, nil
}

func sha256Digest(hex string) map[string]string { return map[string]string{"sha256": hex} }

// timestamp is in seconds.
// https://github.com/in-toto/attestation/blob/main/spec/v1/field_types.md#timestamp
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
