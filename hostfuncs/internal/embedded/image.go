package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// Image is an image that was built. It is not safe for concurrent use.
type Image struct {
	// ConfigDigest is the digest of Config: sha256:<64 hexadecimal digits>.
	ConfigDigest string
	Config       dockerspec.DockerOCIImage
	// Bases are the known digests of the base images, by their full references.
	Bases map[string]string

	raw    []byte // the configuration
	layers []imageLayer
	store  *store
	made   v1.Image // nil until needed
}

// Close removes the image's files.
func (i *Image) Close() error { return i.store.remove() }

// image returns the result of a stage.
func (s *stage) image() (*Image, error) {
	b := s.builder
	for name, value := range b.options.Labels {
		s.setLabel(name, value)
	}
	if b.options.Platform != "" || s.base == nil {
		s.config.Platform = b.platform
	}
	s.config.Created = &b.time
	s.config.RootFS.Type, s.config.RootFS.DiffIDs = "layers", []digest.Digest{}
	for _, l := range s.layers {
		s.config.RootFS.DiffIDs = append(s.config.RootFS.DiffIDs, l.id())
	}
	raw, err := json.Marshal(s.config)
	if err != nil {
		return nil, err
	}
	return &Image{ConfigDigest: digest.FromBytes(raw).String(), Config: s.config, Bases: b.digests, raw: raw, layers: s.layers, store: b.store}, nil
}

// V1 returns the image for go-containerregistry. The first call compresses the layers.
func (i *Image) V1() (v1.Image, error) {
	if i.made != nil {
		return i.made, nil
	}
	c := &core{image: i, layers: map[v1.Hash]imageLayer{}}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{}}
	hash, size, err := v1.SHA256(bytes.NewReader(i.raw))
	if err != nil {
		return nil, err
	}
	manifest.Config = v1.Descriptor{MediaType: types.OCIConfigJSON, Digest: hash, Size: size}
	for _, l := range i.layers {
		d, err := descriptor(l)
		if err != nil {
			return nil, err
		}
		manifest.Layers = append(manifest.Layers, d)
		c.layers[d.Digest] = l
	}
	if c.manifest, err = json.Marshal(manifest); err != nil {
		return nil, err
	}
	i.made, err = partial.CompressedToImage(c)
	return i.made, err
}

func descriptor(l v1.Layer) (v1.Descriptor, error) {
	kind, err := l.MediaType()
	hash, err2 := l.Digest()
	size, err3 := l.Size()
	return v1.Descriptor{MediaType: kind, Digest: hash, Size: size}, errors.Join(err, err2, err3)
}

// Digest returns the digest of the image's manifest, which registries name it by.
func (i *Image) Digest() (string, error) {
	made, err := i.V1()
	if err != nil {
		return "", err
	}
	hash, err := made.Digest()
	return hash.String(), err
}

// Identity returns the digests of the image before it is delivered. It compresses the
// layers.
func (i *Image) Identity() (image.Identity, error) {
	digest, err := i.Digest()
	return image.Identity{Config: i.ConfigDigest, Manifests: []string{digest}}, err
}

// core is the interface to an image for go-containerregistry.
type core struct {
	image    *Image
	manifest []byte
	layers   map[v1.Hash]imageLayer
}

func (c *core) RawConfigFile() ([]byte, error)      { return c.image.raw, nil }
func (c *core) RawManifest() ([]byte, error)        { return c.manifest, nil }
func (c *core) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

func (c *core) LayerByDigest(hash v1.Hash) (partial.CompressedLayer, error) {
	l, ok := c.layers[hash]
	if !ok {
		return nil, fmt.Errorf("the image has no layer %s", hash)
	}
	return l, nil
}
