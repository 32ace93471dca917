package image

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Layout is an OCI layout in a temporary directory; Commit renames it, Discard removes
// it. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
type Layout struct {
	// Image is the image in the layout.
	Image     Identity
	made, dir string
}

// newLayout makes a layout that will replace dir, and fills it.
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

// Commit renames the directory to its path, where only an empty one may exist. All
// users can read the layout, as with other builders.
func (l *Layout) Commit() error {
	err := l.open()
	if err == nil {
		// Some systems cannot replace an empty directory.
		_ = os.Remove(l.dir)
		err = os.Rename(l.made, l.dir)
	}
	if err != nil {
		l.Discard()
	}
	return err
}

func (l *Layout) open() error {
	return filepath.WalkDir(l.made, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}

// Discard removes the directory.
func (l *Layout) Discard() { _ = os.RemoveAll(l.made) }

// layoutName matches the names of files in a layout; others are refused.
var layoutName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(oci-layout|index\.json|manifest\.json|blobs/sha256/[0-9a-f]{64})$`)
})

// blobs is the directory of a layout's blobs.
const blobs = "blobs/sha256/"

// UnpackLayout reads a tar of an OCI layout with one image, as sent by BuildKit and by
// engines with the containerd image store. The image gets the names.
//
// # Errors
//
// An incomplete or other tar, and a blob whose digest is not the one in its name.
func UnpackLayout(r io.Reader, dir string, names []string) (*Layout, error) {
	return newLayout(dir, func(l *Layout) error {
		if err := l.unpack(tar.NewReader(r)); err != nil {
			return err
		}
		if err := l.check(); err != nil {
			return err
		}
		return l.settle(names)
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
		if h.Typeflag != tar.TypeReg || !layoutName().MatchString(name) {
			return fmt.Errorf("unexpected file %q in an OCI layout", h.Name)
		}
		if IsSparse(h) {
			return fmt.Errorf("%q in the OCI layout is sparse: its size would grow when it is written", h.Name)
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
		if digest, ok := strings.CutPrefix(name, blobs); ok && digest != hex.EncodeToString(sum.Sum(nil)) {
			return fmt.Errorf("%s in the OCI layout does not have the digest in its name", name)
		}
	}
}

// IsSparse reports whether a file of a tar has holes, which the reader fills.
func IsSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}
