package embedded

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

var errXz = errors.New("it is compressed with xz, which needs an engine: " + wayOut)

// magics are how compressed files begin.
var magics = []struct {
	bytes []byte
	open  func(io.Reader) (io.Reader, error)
}{
	{[]byte("BZh"), func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{[]byte{0x1f, 0x8b, 8}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{[]byte{0xfd, '7', 'z', 'X', 'Z', 0}, func(io.Reader) (io.Reader, error) { return nil, errXz }},
	{[]byte{0x28, 0xb5, 0x2f, 0xfd}, openZstd},
}

func openZstd(r io.Reader) (io.Reader, error) {
	// One goroutine, which ends with what is read, and no more than 128 MiB.
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20), zstd.WithDecoderMaxWindow(64<<20))
}

// decompress reads a file that is compressed, or else the file as it is.
func decompress(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	begin, err := buffered.Peek(8)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for _, magic := range magics {
		if bytes.HasPrefix(begin, magic.bytes) {
			return magic.open(buffered)
		}
	}
	return buffered, nil
}

// isArchive reports whether a file is a tar, compressed or not.
func isArchive(f *file) (bool, error) {
	if f.kind != tar.TypeReg || f.size == 0 {
		return false, nil
	}
	r, err := f.content.open()
	if err != nil {
		return false, err
	}
	defer r.Close()
	plain, err := decompress(r)
	if errors.Is(err, errXz) {
		return false, err
	}
	if err != nil {
		return false, nil
	}
	left := int64(headLimit)
	_, err = tar.NewReader(&atMost{plain, &left, errHead}).Next()
	if errors.Is(err, errHead) {
		return false, err
	}
	return err == nil, nil
}

// unpack puts an archive's files below the directory that destination names.
func (s *store) unpack(from *file, u *unpacker) error {
	r, err := from.content.open()
	if err != nil {
		return err
	}
	defer r.Close()
	path, _, err := s.expand(r, from.size)
	if err != nil {
		return err
	}
	return s.archive(path, u.visit)
}
