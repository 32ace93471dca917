package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// ArchiveToLayout takes an image as an engine without containerd's image store
// gives it out for `docker load`, which has no manifest: the layout gets one of
// the OCI's, which is the same for the same image.
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
			return fmt.Errorf("%q in the engine's archive is sparse: its size would grow when it is written", h.Name)
		case path.Clean(h.Name) == "manifest.json" && h.Size > manifestLimit:
			return errors.New("manifest.json in the engine's archive is larger than 4 MiB")
		}
	}
}
