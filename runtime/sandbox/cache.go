package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
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
		return "", errors.New("missing directory")
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

// version identifies the build of this program, which compiles modules.
var version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.String()
})
