package embedded

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// Layout writes the image to an OCI layout of its own, which Commit renames to dir.
func (i *Image) Layout(dir string, tags []string) (*image.Layout, error) {
	made, err := i.V1()
	if err != nil {
		return nil, err
	}
	return image.NewLayout(dir, made, tags)
}

// WriteTar writes the image with its tags as a tar for docker load. Like BuildKit's
// it is also an OCI layout, so that an engine with the containerd image store keeps
// the image's manifest.
func (i *Image) WriteTar(w io.Writer, tags []string) error {
	made, err := i.V1()
	if err != nil {
		return err
	}
	manifest, err := made.RawManifest()
	if err != nil {
		return err
	}
	out := archive{tar.NewWriter(w), map[string]bool{}}
	var layers []string
	for _, l := range i.layers {
		name, err := out.layer(l)
		if err != nil {
			return err
		}
		layers = append(layers, name)
	}
	is := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: int64(len(manifest))}
	texts, err := i.index(is, layers, tags)
	if err != nil {
		return err
	}
	for _, text := range append([]small{{blobName(i.ConfigDigest), i.raw}, {blobName(is.Digest.String()), manifest}}, texts...) {
		if err := out.add(text.name, bytes.NewReader(text.text), int64(len(text.text))); err != nil {
			return err
		}
	}
	return out.Close()
}

// small is a file of an archive other than a layer.
type small struct {
	name string
	text []byte
}

// index returns the files that describe an archive, for engines with the containerd
// image store and for others.
func (i *Image) index(is ocispec.Descriptor, layers, tags []string) ([]small, error) {
	described, err := image.Named(is, tags)
	if err != nil {
		return nil, err
	}
	older := struct {
		Config   string
		RepoTags []string
		Layers   []string
	}{Config: blobName(i.ConfigDigest), RepoTags: []string{}, Layers: append([]string{}, layers...)}
	for _, tag := range tags {
		named, err := image.ParseTag(tag)
		if err != nil {
			return nil, err
		}
		older.RepoTags = append(older.RepoTags, named.String())
	}
	var files []small
	for _, file := range []struct {
		name string
		of   any
	}{
		{ocispec.ImageLayoutFile, ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion}},
		{ocispec.ImageIndexFile, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: described}},
		{"manifest.json", []any{older}},
	} {
		text, err := json.Marshal(file.of)
		if err != nil {
			return nil, err
		}
		files = append(files, small{file.name, text})
	}
	return files, nil
}

// archive is a tar with the names of the layers in it.
type archive struct {
	*tar.Writer
	written map[string]bool
}

// layer writes a layer once, and returns its name.
func (a archive) layer(l imageLayer) (name string, err error) {
	hash, err := l.Digest()
	if err != nil {
		return "", err
	}
	size, err := l.Size()
	name = blobName(hash.String())
	if err != nil || a.written[name] {
		return name, err
	}
	a.written[name] = true
	r, err := l.Compressed()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return name, a.add(name, r, size)
}

func (a archive) add(name string, r io.Reader, size int64) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, ModTime: time.Unix(0, 0)}
	if err := a.WriteHeader(header); err != nil {
		return err
	}
	// The types are hidden so that the copy uses this large buffer.
	_, err := io.CopyBuffer(struct{ io.Writer }{a}, struct{ io.Reader }{r}, make([]byte, 1<<20))
	return err
}

// blobName returns the name of a file in an OCI layout.
func blobName(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }
