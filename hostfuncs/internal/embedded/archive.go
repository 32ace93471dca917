package embedded

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
)

var errXz = errors.New("it is compressed with xz, which needs an engine: " + wayOut)

// magics are the first bytes of compressed files.
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
	// One goroutine, which ends with the input, and at most 128 MiB.
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20), zstd.WithDecoderMaxWindow(64<<20))
}

// decompress returns the decompressed file, or the file itself if it is not compressed.
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

// unpack adds an archive's files to the unpacker's directory.
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

// A build may unpack expandFree, and expandRatio times the packed size of all
// archives and layers. Programs and text are packed to a third or a tenth of their
// size; a hundredth is empty, or made to fill a disk.
const (
	expandFree  = 256 << 20 // bytes
	expandRatio = 100
	// headLimit is the most bytes before the first file of an archive.
	headLimit = 16 << 20
)

var (
	errExpands = fmt.Errorf("it unpacks to more than the %d MiB and %d times the packed size that a build may unpack; "+
		"if you trust it, build with an engine: "+wayOut, expandFree>>20, expandRatio)
	errHead = fmt.Errorf("it has more than %d MiB before its first file: not an archive that a program wrote", headLimit>>20)
)

// atMost reads at most left bytes, which several readers may share, and returns the
// error over for the next one.
type atMost struct {
	from io.Reader
	left *int64
	over error
}

func (a *atMost) Read(p []byte) (int, error) {
	if int64(len(p)) > *a.left+1 {
		p = p[:*a.left+1]
	}
	n, err := a.from.Read(p)
	if int64(n) > *a.left {
		n, err = int(*a.left), a.over
	}
	*a.left -= int64(n)
	return n, err
}

// expands bounds the unpacked bytes.
func (s *store) expands(from io.Reader) io.Reader { return &atMost{from, &s.expandable, errExpands} }

// packed allows the bytes that a file of this packed size may unpack to. A file can
// claim any size, so the sum is bounded as well.
func (s *store) packed(size int64) {
	s.expandable = min(s.expandable+min(size, bytesLimit)*expandRatio, bytesLimit)
}

// expand unpacks to a file of the store.
func (s *store) expand(packed io.Reader, size int64) (path, sha string, err error) {
	plain, err := decompress(packed)
	if err != nil {
		return "", "", err
	}
	s.packed(size)
	path, sha, _, err = s.keep(s.expands(plain))
	return path, sha, err
}

// whiteout begins the name of a file in a layer that removes another one: the file
// with the rest of the name or, for whiteoutOpaque, all files of older layers in its
// directory.
const (
	whiteout       = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// unpacker adds the files of a tar to a directory, which the archive cannot leave.
type unpacker struct {
	to    *tree
	root  *node
	owner *owner // nil keeps the files' owners
	layer bool   // whiteouts remove files
	time  int64  // of directories that are missing in the archive
	until *int64 // the latest time of a file; nil for any
}

func (u *unpacker) visit(h *tar.Header, f *file) error {
	name := path.Clean("/" + h.Name)
	if name == "/" {
		return nil
	}
	dir, base := path.Split(name)
	parent, err := u.directory(dir)
	if err != nil {
		return err
	}
	if u.layer && strings.HasPrefix(base, whiteout) {
		u.takeAway(parent, base)
		return nil
	}
	if f.kind == tar.TypeLink {
		if f, err = u.target(f.link); err != nil {
			return err
		}
	} else {
		f = u.finish(f)
	}
	if there := parent.below[base]; there != nil && there.file == f {
		return nil
	}
	_, err = u.to.put(parent, base, f)
	return err
}

func (u *unpacker) finish(f *file) *file {
	if u.owner != nil {
		f.uid, f.gid = u.owner.uid, u.owner.gid
	}
	if u.until != nil {
		f.time = min(f.time, *u.until)
	}
	return f
}

// directory returns a directory of the archive, and makes it if it is missing.
func (u *unpacker) directory(name string) (*node, error) {
	resolved, n, err := u.to.resolveIn(u.root, name, true)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return u.to.mkdirAll(path.Join(u.root.path(), resolved), file{mode: 0o755, time: u.time})
	}
	if !n.isDir() {
		return nil, fmt.Errorf("%s is not a directory", n.path())
	}
	return n, nil
}

// target returns the file of a hard link.
func (u *unpacker) target(name string) (*file, error) {
	_, n, err := u.to.resolveIn(u.root, path.Clean("/"+name), false)
	if err != nil {
		return nil, err
	}
	if n == nil || n.isDir() {
		return nil, fmt.Errorf("it is a hard link to %s, which is not a file", name)
	}
	return n.file, nil
}

// takeAway applies a whiteout. Files of the same layer stay.
func (u *unpacker) takeAway(dir *node, base string) {
	if base == whiteoutOpaque {
		u.onlyOwn(dir)
		return
	}
	base = strings.TrimPrefix(base, whiteout)
	if n := dir.below[base]; n != nil && n.changed != u.to.op {
		delete(dir.below, base)
	}
}

// onlyOwn removes the files of older layers from a directory.
func (u *unpacker) onlyOwn(dir *node) {
	for name, n := range dir.below {
		if n.changed != u.to.op {
			delete(dir.below, name)
			continue
		}
		u.onlyOwn(n)
	}
}
