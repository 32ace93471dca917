package image

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

const (
	// manifestLimit is the most bytes of an index or a manifest, as in registries.
	manifestLimit = 4 << 20
	// manifestCount is the most manifests of one layout.
	manifestCount = 1000
)

// check requires all blobs of the index: a tar that ends between two files looks
// complete.
func (l *Layout) check() error {
	if _, err := os.Stat(filepath.Join(l.made, "oci-layout")); err != nil {
		return errors.New("not an OCI layout: missing oci-layout")
	}
	text, err := l.read("index.json")
	if err != nil {
		return err
	}
	for left, seen := [][]byte{text}, map[string]bool{}; len(left) > 0; left = left[1:] {
		more, err := l.named(left[0], seen)
		if err != nil {
			return err
		}
		left = append(left, more...)
	}
	return nil
}

// described is a blob that an index or a manifest names.
type described struct {
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

// named checks that the blobs of an index or a manifest exist, and returns the
// manifests among them that are new.
func (l *Layout) named(text []byte, seen map[string]bool) (manifests [][]byte, err error) {
	var m struct {
		Manifests, Layers []described
		Config            *described
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("a manifest of the OCI layout: %w", err)
	}
	parts := m.Layers
	if m.Config != nil {
		parts = append(parts, *m.Config)
	}
	for _, part := range append(parts, m.Manifests...) {
		info, err := os.Stat(l.blob(part))
		if err != nil || info.Size() != part.Size {
			return nil, fmt.Errorf("incomplete OCI layout: missing %q or a part of it", part.Digest)
		}
	}
	for _, part := range m.Manifests {
		if seen[part.Digest] {
			continue
		}
		if seen[part.Digest] = true; len(seen) > manifestCount {
			return nil, fmt.Errorf("the OCI layout has more than %d manifests", manifestCount)
		}
		text, err := l.read(blobs + strings.TrimPrefix(part.Digest, "sha256:"))
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, text)
	}
	return manifests, nil
}

// blob is the path of the described blob, empty if its digest is invalid.
func (l *Layout) blob(of described) string {
	name := blobs + strings.TrimPrefix(of.Digest, "sha256:")
	if !layoutName().MatchString(name) {
		return ""
	}
	return filepath.Join(l.made, filepath.FromSlash(name))
}

func (l *Layout) read(name string) ([]byte, error) {
	f, err := safefile.Open(filepath.Join(l.made, filepath.FromSlash(name)), os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("incomplete OCI layout: missing %s", name)
	}
	defer f.Close()
	return readManifest(f, name)
}

// readManifest reads an index or a manifest.
func readManifest(r io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, manifestLimit+1))
	if err == nil && len(text) > manifestLimit {
		err = fmt.Errorf("%s in the OCI layout is larger than 4 MiB", name)
	}
	return text, err
}

// ArchiveToLayout reads an image as saved for `docker load` by an engine without the
// containerd image store. Such an image has no manifest: the layout gets an OCI
// manifest, the same one for the same image.
func ArchiveToLayout(r io.Reader, dir string, names []string) (*Layout, error) {
	return newLayout(dir, func(l *Layout) error { return l.convert(r, names) })
}

func (l *Layout) convert(r io.Reader, names []string) error {
	// It is read more than once.
	f, err := os.CreateTemp(filepath.Dir(l.made), ".stagecraft-*.tar")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	open := func() (io.ReadCloser, error) { return safefile.Open(f.Name(), os.O_RDONLY) }
	if err := checkSaved(open); err != nil {
		return err
	}
	img, err := tarball.Image(open, nil)
	if err != nil {
		return err
	}
	if img, err = toOCI(img); err != nil {
		return err
	}
	return l.write(img, names)
}

// checkSaved refuses sparse files, which grow when they are read, and a large
// manifest.json, which is read into memory.
func checkSaved(open func() (io.ReadCloser, error)) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case IsSparse(h):
			return fmt.Errorf("%q in the engine's archive is sparse: its size would grow when it is written", h.Name)
		case path.Clean(h.Name) == "manifest.json" && h.Size > manifestLimit:
			return errors.New("manifest.json in the engine's archive is larger than 4 MiB")
		}
	}
}
