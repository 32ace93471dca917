package embedded

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// configLimit is the most bytes of an image's configuration.
const configLimit = 8 << 20

// base is an image that the Dockerfile names.
type base struct {
	ref    string
	config dockerspec.DockerOCIImage
	layers []*pulledLayer
	files  *tree // nil until needed
}

// base returns an image, and finds it once for each platform.
func (b *builder) base(ref, platform string) (*base, error) {
	p := b.platform
	if platform != "" {
		var err error
		if p, err = platforms.Parse(platform); err != nil {
			return nil, err
		}
	}
	key := ref + " " + platforms.FormatAll(p)
	if known, ok := b.bases[key]; ok {
		return known, nil
	}
	if b.options.Base == nil {
		return nil, fmt.Errorf("%s: cannot pull images", ref)
	}
	found, err := b.options.Base(b.ctx, ref, v1.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion, OSFeatures: p.OSFeatures,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	made, err := newBase(ref, found.Image)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	b.bases[key] = made
	if found.Digest != "" {
		b.digests[ref] = found.Digest
	}
	return made, nil
}

func newBase(ref string, found v1.Image) (*base, error) {
	raw, err := found.RawConfigFile()
	if err != nil {
		return nil, err
	}
	if len(raw) > configLimit {
		return nil, fmt.Errorf("its configuration is larger than %d MiB", configLimit>>20)
	}
	made := &base{ref: ref}
	if err := json.Unmarshal(raw, &made.config); err != nil {
		return nil, fmt.Errorf("its configuration: %w", err)
	}
	if len(made.config.Config.OnBuild) > 0 {
		return nil, errors.New("the image has ONBUILD triggers, which need an engine: " + wayOut)
	}
	layers, err := found.Layers()
	if err != nil {
		return nil, err
	}
	if len(layers) != len(made.config.RootFS.DiffIDs) {
		return nil, fmt.Errorf("it has %d layers, its configuration has %d", len(layers), len(made.config.RootFS.DiffIDs))
	}
	for i, l := range layers {
		id := made.config.RootFS.DiffIDs[i]
		if err := id.Validate(); err != nil {
			return nil, fmt.Errorf("its configuration: %w", err)
		}
		made.layers = append(made.layers, &pulledLayer{Layer: l, diffID: id})
	}
	made.config.Created = nil
	made.config.History = alignHistory(made.config.History, len(layers))
	return made, nil
}

// alignHistory returns a history with as many layers as the image.
func alignHistory(history []ocispec.History, layers int) []ocispec.History {
	n := 0
	for _, h := range history {
		if !h.EmptyLayer {
			n++
		}
	}
	if n == layers {
		return history
	}
	return make([]ocispec.History, layers)
}

// tree returns the files of the image.
func (b *base) tree(builder *builder) (*tree, error) {
	if b.files != nil {
		return b.files, nil
	}
	t := newTree(&builder.count)
	for _, l := range b.layers {
		t.op = builder.nextOp()
		path, err := l.plain(builder.store)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.ref, err)
		}
		u := &unpacker{to: t, root: t.root, layer: true, time: builder.time.Unix(), until: builder.until}
		if err := builder.store.archive(path, u.visit); err != nil {
			return nil, fmt.Errorf("%s: %w", b.ref, err)
		}
	}
	b.files = t
	return t, nil
}
