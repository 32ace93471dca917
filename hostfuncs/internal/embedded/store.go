package embedded

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// bytesLimit is the most bytes that a build writes to its directory.
const bytesLimit = 64 << 30

// The most bytes of extended attributes: of one file, as in the kernel, and of all
// files of a build, since they are in memory.
const (
	attributesOfFile  = 64 << 10
	attributesOfBuild = 128 << 20
)

var (
	errTooLarge = fmt.Errorf("the build writes more than %d GiB to temporary files; build with an engine: "+wayOut, bytesLimit>>30)
	errLink     = fmt.Errorf("it is a link to a path that is longer than %d bytes", pathLimit)
	errXattrs   = fmt.Errorf("its extended attributes take more than %d KiB", attributesOfFile>>10)
	errXattrAll = fmt.Errorf("the extended attributes of all files take more than %d MiB", attributesOfBuild>>20)
)

// store is a directory for what is too large for memory: layers and archives.
type store struct {
	ctx   context.Context
	dir   string
	files int
	left  int64
	// expandable is the number of bytes that may still be unpacked.
	expandable int64
	attributes int // bytes
}

func newStore(ctx context.Context, dir string) (*store, error) {
	dir, err := os.MkdirTemp(dir, "stagecraft-image-")
	return &store{ctx: ctx, dir: dir, left: bytesLimit, expandable: expandFree}, err
}

func (s *store) remove() error { return os.RemoveAll(s.dir) }

// create makes a new file.
func (s *store) create() (*os.File, error) {
	s.files++
	return safefile.Create(s.dir+string(os.PathSeparator)+strconv.Itoa(s.files), 0o600)
}

// bounded bounds what is written, and fails once the build's context is done.
type bounded struct {
	store *store
	to    io.Writer
}

func (b bounded) Write(p []byte) (int, error) {
	if err := b.store.ctx.Err(); err != nil {
		return 0, err
	}
	if b.store.left -= int64(len(p)); b.store.left < 0 {
		return 0, errTooLarge
	}
	return b.to.Write(p)
}

// keep writes a stream to a file, and returns its SHA-256.
func (s *store) keep(r io.Reader) (path, sha string, size int64, err error) {
	f, err := s.create()
	if err != nil {
		return "", "", 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	size, err = io.Copy(io.MultiWriter(bounded{s, f}, sum), r)
	return f.Name(), hex.EncodeToString(sum.Sum(nil)), size, err
}

// openKept opens a file that [store.keep] made.
func openKept(path string) (*os.File, error) { return safefile.Open(path, os.O_RDONLY) }

// archive visits the files of a tar.
func (s *store) archive(path string, visit func(h *tar.Header, f *file) error) error {
	f, err := openKept(path)
	if err != nil {
		return err
	}
	defer f.Close()
	// A tar.Reader skips contents by seeking and does not read ahead: the content
	// begins at the offset of f.
	for r := tar.NewReader(f); ; {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		entry, err := s.entry(h, r, f)
		if err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
		if entry == nil {
			continue
		}
		if err := visit(h, entry); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

// entry returns the file of a tar header, nil for a header without one.
func (s *store) entry(h *tar.Header, r *tar.Reader, f *os.File) (*file, error) {
	if h.Uid < 0 || h.Gid < 0 || h.Size < 0 {
		return nil, errors.New("it has a negative size or owner")
	}
	entry := &file{
		kind: h.Typeflag, mode: h.Mode & 0o7777, uid: h.Uid, gid: h.Gid, time: max(h.ModTime.Unix(), 0),
		xattrs: xattrs(h),
	}
	if err := s.describes(h, entry); err != nil {
		return nil, err
	}
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil, nil
	case tar.TypeReg, tar.TypeGNUSparse:
		entry.kind, entry.size = tar.TypeReg, h.Size
		if image.IsSparse(h) {
			path, _, _, err := s.keep(s.expands(r))
			entry.content = part{path: path, size: h.Size}
			return entry, err
		}
		offset, err := f.Seek(0, io.SeekCurrent)
		entry.content = part{path: f.Name(), offset: offset, size: h.Size}
		return entry, err
	case tar.TypeSymlink:
		entry.link, entry.mode = h.Linkname, 0o777
	case tar.TypeLink:
		entry.link = h.Linkname
	case tar.TypeChar, tar.TypeBlock:
		entry.major, entry.minor = h.Devmajor, h.Devminor
	case tar.TypeDir, tar.TypeFifo:
	default:
		return nil, fmt.Errorf("unknown file type %q", h.Typeflag)
	}
	return entry, nil
}

// describes bounds what is kept in memory of a file.
func (s *store) describes(h *tar.Header, entry *file) error {
	if len(h.Linkname) > pathLimit {
		return errLink
	}
	size := 0
	for name, value := range entry.xattrs {
		size += len(name) + len(value)
	}
	if size > attributesOfFile {
		return errXattrs
	}
	if s.attributes += size; s.attributes > attributesOfBuild {
		return errXattrAll
	}
	return nil
}

func xattrs(h *tar.Header) map[string]string {
	var found map[string]string
	for name, value := range h.PAXRecords {
		if strings.HasPrefix(name, "SCHILY.xattr.") {
			if found == nil {
				found = map[string]string{}
			}
			found[name] = value
		}
	}
	return found
}
