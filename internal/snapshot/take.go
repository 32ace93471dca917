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

// take takes what stands at a path, with its contents if read is set or its
// stamp may stay the same when it changes.
func (s Snapshot) take(path string, read bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return
	}
	f := file{kind: info.Mode().Type()}
	if f.kind&fs.ModeSymlink != 0 {
		// One that can't be read leads nowhere.
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

// coarse is how far apart the times of two changes have to be to differ on any
// file system.
const coarse = 2 * time.Second

// deceptive tells whether a file could be changed and keep its stamp: just after
// a change, and where the system doesn't say when one took place.
func (s stamp) deceptive(now time.Time) bool {
	return s.changed == 0 || s.changed > now.Add(-coarse).UnixNano()
}

// maxRead is how much of a file is read, in bytes: as much as a module can have,
// and a byte.
const maxRead = 64<<20 + 1

// digest is the SHA-256 of a file in hex, empty where it can't be read. Nobody
// makes us wait by a pipe in its place.
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
