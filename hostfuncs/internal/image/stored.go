package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Stored is an image in an OCI layout. All that is read of it must have its digest.
type Stored struct {
	Dir string // absolute, with links resolved
	// Digest is of a manifest, or of an index of images for several platforms.
	Digest digest.Digest
}

// FindStored finds the image in an OCI layout: the only one, or the one with the wanted
// digest.
//
// # Errors
//
// A directory that is not an OCI layout or does not have the image.
func FindStored(dir string, want digest.Digest) (Stored, error) {
	s := Stored{Dir: dir, Digest: want}
	text, err := s.index()
	if err != nil {
		return s, fmt.Errorf("not an OCI layout: %w", err)
	}
	var index ocispec.Index
	if err := json.Unmarshal(text, &index); err != nil {
		return s, fmt.Errorf("not an OCI layout: %s: %w", ocispec.ImageIndexFile, err)
	}
	found := make(map[digest.Digest]bool)
	for _, m := range index.Manifests {
		if want == "" || m.Digest == want {
			found[m.Digest] = true
		}
	}
	switch {
	case len(found) == 0 && want != "":
		return s, fmt.Errorf("missing image %s", want)
	case len(found) != 1:
		return s, fmt.Errorf("it has %d images: name one by its digest, as in oci:DIR@sha256:...", len(found))
	}
	for s.Digest = range found {
	}
	if !isBlob(s.Digest) {
		return s, fmt.Errorf("the digest of its image, %q, is not SHA-256", s.Digest)
	}
	return s, nil
}

// Open opens the blob with a digest, without checking the digest.
func (s Stored) Open(of digest.Digest) (*os.File, error) {
	if !isBlob(of) {
		return nil, fmt.Errorf("%q is not a SHA-256 digest", of)
	}
	return s.open(blobs + of.Encoded())
}

func isBlob(of digest.Digest) bool {
	return of.Validate() == nil && of.Algorithm() == digest.SHA256
}

// Manifest reads the manifest, index or configuration that a digest names.
//
// # Errors
//
// A missing blob, one of more than 4 MiB, or with another digest.
func (s Stored) Manifest(of digest.Digest) ([]byte, error) {
	f, err := s.Open(of)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := readManifest(f, blobs+of.Encoded())
	if err == nil && digest.FromBytes(text) != of {
		err = fmt.Errorf("%s%s does not have the digest in its name", blobs, of.Encoded())
	}
	return text, err
}

func (s Stored) index() ([]byte, error) {
	f, err := s.open(ocispec.ImageIndexFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readManifest(f, ocispec.ImageIndexFile)
}

// open opens a file of the layout. Links cannot leave the layout.
func (s Stored) open(name string) (*os.File, error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer root.Close()
	f, err := openFile(root, filepath.FromSlash(name))
	if e, ok := errors.AsType[*os.PathError](err); ok {
		err = e.Err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}
