package hostfuncs

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/runtime/folderlock"
)

// tempName is what the folders for temporary files of confined runs begin with.
const tempName = "stagecraft-run-"

// tempDir is a folder for the temporary files of one run. As long as the run
// lives, it holds the folder's lock.
type tempDir struct {
	path string
	lock *folderlock.Lock
}

// newTempDir makes a folder for the temporary files of this run, so that the
// common one, in which others have theirs, need not be open to it. Runs that
// were killed have left theirs: they go first.
func newTempDir() (*tempDir, error) {
	common, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		return nil, err
	}
	left, _ := filepath.Glob(filepath.Join(common, tempName+"*"))
	for _, dir := range left {
		// One that is being made is locked as it gets its name.
		if lock, err := folderlock.Try(dir); err == nil {
			_ = os.RemoveAll(dir)
			_ = lock.Release()
		}
	}
	made, err := os.MkdirTemp(common, "."+tempName+"*")
	if err != nil {
		return nil, err
	}
	t := &tempDir{path: filepath.Join(common, filepath.Base(made)[1:])}
	if t.lock, err = folderlock.Try(made); err == nil {
		err = os.Rename(made, t.path)
	}
	if err != nil {
		_ = os.RemoveAll(made)
		return nil, err
	}
	return t, nil
}

// remove removes the folder, with all that is in it.
func (t *tempDir) remove() error {
	return errors.Join(os.RemoveAll(t.path), t.lock.Release())
}
