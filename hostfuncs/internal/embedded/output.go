package embedded

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// WriteLayout writes the image to a folder as an OCI layout, which has this
// image alone. The folder has to be empty or new; after an error something can
// be in it, see [image.NewLayout].
func (i *Image) WriteLayout(dir string, tags []string) error {
	made, err := i.V1()
	if err != nil {
		return err
	}
	return image.WriteLayout(dir, made, tags)
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
