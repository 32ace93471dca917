package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/filelock"
	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
)

// ErrNoCache means that [Options.CacheDir] is empty.
var ErrNoCache = errors.New("there is no directory for it")

// cacheDir makes the directory for the compiled code of one module. It must be private,
// since the code in it is executed without a further check. Each module has its own: a
// module that escapes from its sandbox could write code there, which only the same module
// would execute.
func cacheDir(parent, digest string, wasm []byte) (string, error) {
	if parent == "" {
		return "", ErrNoCache
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return "", err
	}
	if err := privatedir.Make(parent); err != nil {
		return "", err
	}
	if digest == "" {
		sum := sha256.Sum256(wasm)
		digest = hex.EncodeToString(sum[:])
	}
	name := sha256.Sum256([]byte(digest + version()))
	dir := filepath.Join(parent, hex.EncodeToString(name[:]))
	if err := privatedir.Make(dir); err != nil {
		return "", err
	}
	return dir, nil
}

// complete is a directory that is made beside compiled code once all of it is there.
const complete = "complete"

// isComplete reports whether all compiled code is kept in a directory.
func isComplete(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, complete))
	return dir != "" && err == nil && info.IsDir()
}

// claim has this run alone write to a directory for compiled code, and removes what a run
// that was killed has left there. It fails with [filelock.ErrLocked] if another run
// writes to it.
func claim(dir string) (release func(), err error) {
	lock, err := filelock.Try(dir)
	if errors.Is(err, filelock.ErrLocked) {
		return nil, err
	}
	// Where directories cannot be locked, two runs do the same work: each entry is
	// written under another name and renamed.
	release = func() {}
	if err == nil {
		release = func() { _ = lock.Release() }
	}
	if isComplete(dir) || err != nil {
		return release, nil
	}
	left, err := os.ReadDir(dir)
	for _, entry := range left {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

const (
	// maxCode and maxCodeFiles bound the compiled code of a module while it is written. The
	// code of a module of 64 MiB takes about 250 MiB, in a few files.
	maxCode      = 1 << 30
	maxCodeFiles = 1000
)

// isOverfull reports whether a helper writes more to its directory than compiled code. The
// kernel bounds each file, and not their number.
func isOverfull(dir string) bool {
	files, bytes := 0, int64(0)
	overfull := errors.New("overfull")
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		// The helper renames and removes entries meanwhile.
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil {
			files, bytes = files+1, bytes+info.Size()
		}
		if files > maxCodeFiles || bytes > maxCode {
			return overfull
		}
		return nil
	})
	return errors.Is(err, overfull)
}

// version identifies the build of this program, which compiles modules.
var version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.String()
})
