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

// cacheDir makes the directory for a module's compiled code, empty where there is
// none. Compiled code is run as it is, so the directory must be ours alone. It is
// one module's: a module that broke out of its sandbox could write code there, and
// only the same module would run it.
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

// hasEntries reports whether compiled code is kept in a directory.
func hasEntries(dir string) bool {
	entries, err := os.ReadDir(dir)
	return dir != "" && err == nil && len(entries) > 0
}

// version stands for what compiles modules: this program, as it was built.
var version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.String()
})
