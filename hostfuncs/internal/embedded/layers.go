package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	digest "github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// imageLayer is a layer of an image, made by a step or taken from a base image.
type imageLayer interface {
	v1.Layer
	id() digest.Digest
}

// layer is a layer that a step made.
type layer struct {
	store  *store
	path   string // uncompressed
	diffID string // hexadecimal

	packing sync.Mutex
	packed  *packed // nil until needed
}

// packed is a compressed layer.
type packed struct {
	path, sha string
	size      int64
}

func (l *layer) id() digest.Digest { return digest.NewDigestFromEncoded(digest.SHA256, l.diffID) }

// pack compresses the layer, once.
func (l *layer) pack() (*packed, error) {
	l.packing.Lock()
	defer l.packing.Unlock()
	if l.packed != nil {
		return l.packed, nil
	}
	f, err := openKept(l.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var p packed
	r := compress(f)
	defer r.Close()
	if p.path, p.sha, p.size, err = l.store.keep(r); err != nil {
		return nil, err
	}
	l.packed = &p
	return &p, nil
}

func (l *layer) Digest() (v1.Hash, error) {
	p, err := l.pack()
	if err != nil {
		return v1.Hash{}, err
	}
	return v1.Hash{Algorithm: "sha256", Hex: p.sha}, nil
}

func (l *layer) DiffID() (v1.Hash, error) {
	return v1.Hash{Algorithm: "sha256", Hex: l.diffID}, nil
}

func (l *layer) Compressed() (io.ReadCloser, error) {
	p, err := l.pack()
	if err != nil {
		return nil, err
	}
	return openKept(p.path)
}

func (l *layer) Uncompressed() (io.ReadCloser, error) { return openKept(l.path) }

func (l *layer) Size() (int64, error) {
	p, err := l.pack()
	if err != nil {
		return 0, err
	}
	return p.size, nil
}

func (l *layer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }

// pulledLayer is a layer of a base image. It is pulled at most once, when needed.
type pulledLayer struct {
	v1.Layer
	diffID digest.Digest

	local, unpacked string // files; empty until needed
}

func (l *pulledLayer) id() digest.Digest { return l.diffID }

func (l *pulledLayer) Compressed() (io.ReadCloser, error) {
	if l.local != "" {
		return openKept(l.local)
	}
	return l.Layer.Compressed()
}

// MediaType returns the OCI's media type for Docker's.
func (l *pulledLayer) MediaType() (types.MediaType, error) {
	kind, err := l.Layer.MediaType()
	return image.OCILayer(kind), err
}

// plain returns the file of the unpacked layer. Its digest must be the one in the
// image's configuration.
func (l *pulledLayer) plain(s *store) (string, error) {
	if l.unpacked != "" {
		return l.unpacked, nil
	}
	r, err := l.Layer.Compressed()
	if err != nil {
		return "", err
	}
	local, _, size, err := s.keep(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return "", err
	}
	f, err := openKept(local)
	if err != nil {
		return "", err
	}
	defer f.Close()
	path, sha, err := s.expand(f, size)
	if err != nil {
		return "", fmt.Errorf("layer %s: %w", l.diffID, err)
	}
	if sha != l.diffID.Encoded() {
		return "", fmt.Errorf("a layer has the digest %s, but %s in the image's configuration", sha, l.diffID.Encoded())
	}
	l.local, l.unpacked = local, path
	return path, nil
}

// blockSize is the number of bytes that are compressed together. The digest depends on
// it and on the level, and must not depend on the number of processors.
const blockSize = 1 << 20

// compress compresses a stream with gzip on all processors. Each block is a member of
// its own; readers of gzip join them. It keeps a few blocks in memory, and ends when
// it is closed.
func compress(r io.Reader) io.ReadCloser {
	out, w := io.Pipe()
	blocks := make(chan chan result, runtime.GOMAXPROCS(0))
	stop := make(chan struct{})
	go cut(r, blocks, stop)
	go func() {
		w.CloseWithError(join(w, blocks))
		close(stop)
		// cut may be waiting to send.
		for range blocks {
		}
	}()
	return out
}

type result struct {
	packed []byte
	err    error
}

// cut starts the compression of each block of a stream, in order.
func cut(r io.Reader, blocks chan<- chan result, stop <-chan struct{}) {
	defer close(blocks)
	for {
		block := make([]byte, blockSize)
		n, err := io.ReadFull(r, block)
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		done := make(chan result, 1)
		if err != nil && !last {
			done <- result{err: err}
		} else {
			go func() { done <- pack(block[:n]) }()
		}
		select {
		case blocks <- done:
		case <-stop:
			return
		}
		if err != nil {
			return
		}
	}
}

func pack(block []byte) result {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err == nil {
		_, err = w.Write(block)
		err = errors.Join(err, w.Close())
	}
	return result{packed.Bytes(), err}
}

func join(w io.Writer, blocks <-chan chan result) error {
	for block := range blocks {
		r := <-block
		if r.err != nil {
			return r.err
		}
		if _, err := w.Write(r.packed); err != nil {
			return err
		}
	}
	return nil
}
