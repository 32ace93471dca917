package embedded

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// refAnnotation is the name of an image in an OCI layout.
const refAnnotation = "org.opencontainers.image.ref.name"

// WriteLayout writes the image to a folder as an OCI layout, which has this
// image alone. The folder has to be empty or new; after an error it is as it
// was.
func (i *Image) WriteLayout(dir string, tags []string) (err error) {
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".layout-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if err := i.writeLayout(filepath.Join(temp, "layout"), tags); err != nil {
		return err
	}
	// This takes away an empty folder, and nothing else.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there and not empty: name another folder, or empty it", dir)
	}
	return os.Rename(filepath.Join(temp, "layout"), dir)
}

func (i *Image) writeLayout(dir string, tags []string) error {
	made, err := i.V1()
	if err != nil {
		return err
	}
	to, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if len(tags) == 0 {
		return to.AppendImage(made)
	}
	for _, tag := range tags {
		named, err := image.ParseTag(tag)
		if err != nil {
			return err
		}
		if err := to.AppendImage(made, layout.WithAnnotations(map[string]string{refAnnotation: named.String()})); err != nil {
			return err
		}
	}
	return nil
}

// WriteTar writes the image as a tar that docker load takes, with its tags.
// Layers that were made here are not compressed in it.
func (i *Image) WriteTar(w io.Writer, tags []string) error {
	entry := struct {
		Config   string
		RepoTags []string
		Layers   []string
	}{Config: i.ID[len("sha256:"):] + ".json", RepoTags: []string{}, Layers: []string{}}
	for _, tag := range tags {
		named, err := image.ParseTag(tag)
		if err != nil {
			return err
		}
		entry.RepoTags = append(entry.RepoTags, named.String())
	}
	out := tar.NewWriter(w)
	written := map[string]bool{}
	for _, l := range i.layers {
		file := l.id().Encoded() + ".tar"
		entry.Layers = append(entry.Layers, file)
		if written[file] {
			continue
		}
		written[file] = true
		if err := i.writeLayer(out, file, l); err != nil {
			return err
		}
	}
	manifest, err := json.Marshal([]any{entry})
	if err != nil {
		return err
	}
	for _, text := range []struct {
		name string
		text []byte
	}{{entry.Config, i.raw}, {"manifest.json", manifest}} {
		if err := writeEntry(out, text.name, bytes.NewReader(text.text), int64(len(text.text))); err != nil {
			return err
		}
	}
	return out.Close()
}

func (i *Image) writeLayer(out *tar.Writer, file string, l imageLayer) (err error) {
	r, size, err := l.archive()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return writeEntry(out, file, r, size)
}

func writeEntry(out *tar.Writer, file string, r io.Reader, size int64) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: file, Mode: 0o644, Size: size, ModTime: time.Unix(0, 0)}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	// With a buffer of its own the copy is made in large pieces.
	_, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{r}, make([]byte, 1<<20))
	return err
}

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
	return func(ctx context.Context, ref string, platform v1.Platform) (v1.Image, error) {
		parsed, err := name.ParseReference(ref)
		if err != nil {
			return nil, err
		}
		all := append([]remote.Option{}, options...)
		return remote.Image(parsed, append(all, remote.WithContext(ctx), remote.WithPlatform(platform))...)
	}
}

// FromLayouts finds images in OCI layouts: each is a folder, by the full
// reference of the image that it takes the place of. All others next finds.
func FromLayouts(folders map[string]string, next Base) Base {
	return func(ctx context.Context, ref string, platform v1.Platform) (v1.Image, error) {
		dir, ok := folders[ref]
		if ok {
			return fromLayout(dir, platform)
		}
		if next == nil {
			return nil, errors.New("no image can be pulled here")
		}
		return next(ctx, ref, platform)
	}
}

func fromLayout(dir string, platform v1.Platform) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	return fromIndex(index, platform, 0)
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
