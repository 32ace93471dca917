package image

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/stagecraft-dev/stagecraft/runtime/safefile"
)

// Layout is a folder with an OCI layout on its way to its place, see
// https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md. It
// has to be committed or discarded.
type Layout struct{ made, dir string }

// NewLayout makes a folder that takes the place of dir, and has it filled by
// write, which gets its path.
func NewLayout(dir string, write func(dir string) error) (*Layout, error) {
	return newLayout(dir, func(l *Layout) error { return write(l.made) })
}

func newLayout(dir string, fill func(*Layout) error) (*Layout, error) {
	made, err := os.MkdirTemp(filepath.Dir(dir), ".stagecraft-")
	if err != nil {
		return nil, err
	}
	l := &Layout{made: made, dir: dir}
	if err := fill(l); err != nil {
		l.Discard()
		return nil, err
	}
	return l, nil
}

// Commit puts the folder in its place, where there must be none but an empty
// one.
func (l *Layout) Commit() error {
	err := os.Chmod(l.made, 0o755)
	if err == nil {
		// An empty one would be in the way on some systems.
		_ = os.Remove(l.dir)
		err = os.Rename(l.made, l.dir)
	}
	if err != nil {
		l.Discard()
	}
	return err
}

// Discard removes the folder.
func (l *Layout) Discard() { _ = os.RemoveAll(l.made) }

// layoutName are the names of files in a layout, and the only ones taken.
var layoutName = regexp.MustCompile(`^(oci-layout|index\.json|manifest\.json|blobs/sha256/[0-9a-f]{64})$`)

// blobs is what the names of a layout's blobs begin with.
const blobs = "blobs/sha256/"

// UnpackLayout takes a tar of an OCI layout.
//
// # Errors
//
// What is no such tar, or isn't whole, and a blob that isn't what it is called.
func UnpackLayout(r io.Reader, dir string) (*Layout, error) {
	return newLayout(dir, func(l *Layout) error {
		if err := l.unpack(tar.NewReader(r)); err != nil {
			return err
		}
		return l.check()
	})
}

func (l *Layout) unpack(r *tar.Reader) error {
	if err := os.MkdirAll(filepath.Join(l.made, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean(h.Name)
		if h.Typeflag == tar.TypeDir && (name == "blobs" || name == "blobs/sha256") {
			continue
		}
		if h.Typeflag != tar.TypeReg || !layoutName.MatchString(name) {
			return fmt.Errorf("there is %q in what should be an OCI layout", h.Name)
		}
		if isSparse(h) {
			return fmt.Errorf("%q in the OCI layout has holes: what is sent would be less than what is written", h.Name)
		}
		f, err := safefile.Create(filepath.Join(l.made, filepath.FromSlash(name)), 0o644)
		if err != nil {
			return err
		}
		sum := sha256.New()
		_, err = io.Copy(io.MultiWriter(f, sum), r)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if told, ok := strings.CutPrefix(name, blobs); ok && told != hex.EncodeToString(sum.Sum(nil)) {
			return fmt.Errorf("%s in the OCI layout is not what it is called", name)
		}
	}
}

// isSparse tells whether a file of a tar has holes, which the reader fills.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// ArchiveToLayout takes an image as `docker save` gives it.
func ArchiveToLayout(r io.Reader, dir string) (*Layout, error) {
	return newLayout(dir, func(l *Layout) error { return l.convert(r) })
}

func (l *Layout) convert(r io.Reader) error {
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
	manifest, err := tarball.LoadManifest(open)
	if err != nil {
		return err
	}
	return WriteLayout(l.made, img, manifest[0].RepoTags)
}

// checkSaved refuses what a reader of the tar would make more of than was sent,
// and a list of images that is read into memory.
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
		case h.Typeflag == tar.TypeGNUSparse || isSparse(h):
			return fmt.Errorf("%q in the engine's archive has holes: what is sent would be less than what is written", h.Name)
		case path.Clean(h.Name) == "manifest.json" && h.Size > manifestLimit:
			return errors.New("manifest.json in the engine's archive is larger than 4 MiB")
		}
	}
}

// Annotations of an image in a layout, as BuildKit writes them. The first is of
// https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md.
const (
	annotationTag  = "org.opencontainers.image.ref.name"
	annotationName = "io.containerd.image.name"
)

// WriteLayout makes an OCI layout of an image in a folder that isn't there or is
// empty. Each of its names is a descriptor of its own there.
func WriteLayout(dir string, img v1.Image, names []string) error {
	to, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return to.AppendImage(img)
	}
	for _, name := range names {
		named, err := ParseTag(name)
		if err != nil {
			return err
		}
		options := layout.WithAnnotations(map[string]string{annotationName: named.String(), annotationTag: named.Tag()})
		if err := to.AppendImage(img, options); err != nil {
			return err
		}
	}
	return nil
}
