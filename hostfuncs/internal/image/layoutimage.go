package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Annotations of an image in a layout, as written by BuildKit. The first is the OCI's,
// https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md, the second
// containerd's.
const (
	annotationTag  = ocispec.AnnotationRefName
	annotationName = "io.containerd.image.name"
)

// NewLayout makes an OCI layout of an image with these names. Commit renames it to dir.
func NewLayout(dir string, img v1.Image, names []string) (*Layout, error) {
	return newLayout(dir, func(l *Layout) error { return l.write(img, names) })
}

func (l *Layout) write(img v1.Image, names []string) error {
	to, err := layout.Write(l.made, empty.Index)
	if err != nil {
		return err
	}
	if err := to.WriteImage(img); err != nil {
		return err
	}
	raw, err := img.RawManifest()
	if err != nil {
		return err
	}
	is := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
	return l.name(is, raw, names)
}

// settle names the image in a builder's layout.
func (l *Layout) settle(names []string) error {
	text, err := l.read(ocispec.ImageIndexFile)
	if err != nil {
		return err
	}
	var index ocispec.Index
	if err := json.Unmarshal(text, &index); err != nil {
		return fmt.Errorf("the index of the OCI layout: %w", err)
	}
	images := make(map[digest.Digest]ocispec.Descriptor)
	for _, m := range index.Manifests {
		images[m.Digest] = ocispec.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: m.Size}
	}
	if len(images) != 1 {
		return fmt.Errorf("the OCI layout has %d images, expected one", len(images))
	}
	for of, is := range images {
		raw, err := l.read(blobs + of.Encoded())
		if err != nil {
			return err
		}
		// An engine adds this file for older engines.
		if err := os.RemoveAll(filepath.Join(l.made, "manifest.json")); err != nil {
			return err
		}
		return l.name(is, raw, names)
	}
	return nil
}

// name writes the index of a layout with one image; raw is its manifest or index. Each
// name has a descriptor.
func (l *Layout) name(is ocispec.Descriptor, raw []byte, names []string) error {
	var manifest ocispec.Manifest
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return fmt.Errorf("a manifest of the OCI layout: %w", err)
	}
	l.Image = Identity{Config: manifest.Config.Digest.String(), Manifests: []string{is.Digest.String()}}
	described, err := Named(is, names)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: described,
	}, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(l.made, ocispec.ImageIndexFile)
	if err := os.Remove(file); err != nil {
		return err
	}
	f, err := safefile.Create(file, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}

// Named returns the descriptors of an image in a layout's index: one for each name, or
// one without a name.
func Named(is ocispec.Descriptor, names []string) ([]ocispec.Descriptor, error) {
	if len(names) == 0 {
		return []ocispec.Descriptor{is}, nil
	}
	var all []ocispec.Descriptor
	for _, name := range names {
		ref, err := ParseTag(name)
		if err != nil {
			return nil, err
		}
		is.Annotations = map[string]string{annotationName: ref.String(), annotationTag: ref.Tag()}
		all = append(all, is)
	}
	return all, nil
}

// ociImage is an image with an OCI manifest.
type ociImage struct {
	v1.Image
	raw []byte
}

func (i ociImage) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
func (i ociImage) RawManifest() ([]byte, error)        { return i.raw, nil }
func (i ociImage) Manifest() (*v1.Manifest, error)     { return v1.ParseManifest(bytes.NewReader(i.raw)) }
func (i ociImage) Digest() (v1.Hash, error)            { return partial.Digest(i) }
func (i ociImage) Size() (int64, error)                { return int64(len(i.raw)), nil }

// toOCI returns an image with an OCI manifest, of the same configuration and layers.
func toOCI(img v1.Image) (v1.Image, error) {
	manifest, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	manifest = manifest.DeepCopy()
	manifest.MediaType, manifest.Config.MediaType = types.OCIManifestSchema1, types.OCIConfigJSON
	for i := range manifest.Layers {
		manifest.Layers[i].MediaType = OCILayer(manifest.Layers[i].MediaType)
	}
	raw, err := json.Marshal(manifest)
	return ociImage{img, raw}, err
}

// OCILayer returns the OCI's media type for Docker's type of a layer.
func OCILayer(kind types.MediaType) types.MediaType {
	switch kind {
	case types.DockerLayer:
		return types.OCILayer
	case types.DockerUncompressedLayer:
		return types.OCIUncompressedLayer
	case types.DockerForeignLayer:
		return types.OCIRestrictedLayer
	}
	return kind
}
