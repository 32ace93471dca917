package embedded

import (
	"fmt"
	"io"
)

// What a build may unpack, of archives and of base images' layers together:
// expandFree, and expandRatio times what all of them have packed. Programs and
// texts are packed to a third or a tenth of their size; what is packed to a
// hundredth is made to fill a disk, or is empty.
const (
	expandFree  = 256 << 20 // bytes
	expandRatio = 100
	// headLimit is the most bytes before an archive's first file.
	headLimit = 16 << 20
)

var (
	errExpands = fmt.Errorf("it unpacks to more than the %d MiB and %d times the packed size that a build may unpack; "+
		"if you trust it, build with an engine: "+wayOut, expandFree>>20, expandRatio)
	errHead = fmt.Errorf("it has more than %d MiB before its first file: not an archive that a program wrote", headLimit>>20)
)

// atMost reads as long as no more comes than what is left, which several may
// share. One byte more is an error, and is not given to anyone.
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

// expands bounds what comes of something packed.
func (s *store) expands(from io.Reader) io.Reader { return &atMost{from, &s.expandable, errExpands} }

// packed says that there is so much of what is going to be unpacked. A file may
// say that it has more than a disk, and no build writes more than bytesLimit.
func (s *store) packed(size int64) {
	s.expandable = min(s.expandable+min(size, bytesLimit)*expandRatio, bytesLimit)
}

// expand writes what is in a packed file to a file of the store.
func (s *store) expand(packed io.Reader, size int64) (path, sha string, err error) {
	plain, err := decompress(packed)
	if err != nil {
		return "", "", err
	}
	s.packed(size)
	path, sha, _, err = s.keep(s.expands(plain))
	return path, sha, err
}
