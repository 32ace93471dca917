package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// take records a path, with its contents if read is set or if its stamp may stay the
// same in a change.
func (s Snapshot) take(path string, read bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return
	}
	f := file{kind: info.Mode().Type()}
	if f.kind&fs.ModeSymlink != 0 {
		// An unreadable link has no target.
		f.target, _ = os.Readlink(path)
		if info, err = os.Stat(path); err != nil {
			s.files[path] = f
			return
		}
	}
	f.stamp = stampOf(info)
	if info.Mode().IsRegular() && (read || f.stamp.deceptive(time.Now())) {
		f.sha256 = digest(path)
	}
	s.files[path] = f
}

// coarse is the coarsest resolution of a file system's times.
const coarse = 2 * time.Second

// deceptive reports whether a change could keep the file's stamp: shortly after another
// change, and on systems without a change time.
func (s stamp) deceptive(now time.Time) bool {
	return s.changed == 0 || s.changed > now.Add(-coarse).UnixNano()
}

// maxRead is the most bytes read of a file: the largest module, and a byte.
const maxRead = 64<<20 + 1

// digest returns the SHA-256 of a file in hex, empty if it cannot be read. A pipe in its
// place does not block.
func digest(path string) string {
	f, err := safefile.Open(path, os.O_RDONLY)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() >= maxRead {
		return ""
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(f, maxRead)); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}
