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

	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
)

// cacheDir makes the directory for the compiled code of one module. It must be private,
// since the code in it is executed without a further check. Each module has its own: a
// module that escapes from its sandbox could write code there, which only the same module
// would execute.
func cacheDir(parent, digest string, wasm []byte) (string, error) {
	if parent == "" {
		return "", errors.New("there is no directory for it")
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

// hasEntries reports whether a directory has compiled code.
func hasEntries(dir string) bool {
	entries, err := os.ReadDir(dir)
	return dir != "" && err == nil && len(entries) > 0
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
