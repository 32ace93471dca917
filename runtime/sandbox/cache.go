package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tetratelabs/wazero"
)

// openCache opens the folder of compiled code. The code in it is run as it is,
// protected by a checksum only, so the folder must be ours alone: a link, a
// folder of another owner or one that others can write to is refused.
func openCache(dir string) (wazero.CompilationCache, error) {
	if dir == "" {
		return nil, errors.New("there is no folder for it")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder of its own, but a link or a file", dir)
	}
	if err := checkOwner(dir, info); err != nil {
		return nil, err
	}
	return wazero.NewCompilationCacheWithDir(dir)
}
