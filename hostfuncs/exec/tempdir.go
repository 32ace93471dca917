package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/filelock"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// tempName is what the directories for temporary files of confined runs begin with.
const tempName = "stagecraft-run-"

// tempDir is a directory for the temporary files of one run. As long as the run
// lives, it holds the directory's lock.
type tempDir struct {
	path string
	lock *filelock.Lock
}

// newTempDir makes a directory for the temporary files of this run, so that the
// common one, in which others have theirs, need not be open to it.
func newTempDir() (*tempDir, error) {
	common, err := safefile.Resolve(os.TempDir())
	if err != nil {
		return nil, err
	}
	sweepTempDirs(common)
	made, err := os.MkdirTemp(common, "."+tempName+"*")
	if err != nil {
		return nil, err
	}
	t := &tempDir{path: filepath.Join(common, filepath.Base(made)[1:])}
	if t.lock, err = filelock.Try(made); err == nil {
		err = os.Rename(made, t.path)
	}
	if err != nil {
		_ = os.RemoveAll(made)
		return nil, err
	}
	return t, nil
}

// sweepTempDirs removes what runs of this user left that were killed. The
// directory is everybody's: what others put there under such a name is not even
// opened.
func sweepTempDirs(common string) {
	entries, _ := os.ReadDir(common)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), tempName) {
			continue
		}
		if info, err := entry.Info(); err != nil || !safefile.IsOwn(info) {
			continue
		}
		dir := filepath.Join(common, entry.Name())
		// One that is being made is locked as it gets its name.
		if lock, err := filelock.Try(dir); err == nil {
			_ = removeTree(dir)
			_ = lock.Release()
		}
	}
}

// remove removes the directory, with all that is in it.
func (t *tempDir) remove() error {
	err := removeTree(t.path)
	if err != nil {
		err = fmt.Errorf("cannot remove the directory for temporary files: %w", err)
	}
	return errors.Join(err, t.lock.Release())
}

// removeTree is [os.RemoveAll], also where the directory or some below it may
// not be written to by their owner. No link is followed out of where it is.
func removeTree(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	if parent, err := os.OpenRoot(filepath.Dir(dir)); err == nil {
		loosen(parent, filepath.Base(dir))
		parent.Close()
	}
	return os.RemoveAll(dir)
}

// loosen makes a directory and all those below it writable, as far as it can.
func loosen(parent *os.Root, name string) {
	_ = parent.Chmod(name, 0o700)
	_ = fs.WalkDir(parent.FS(), name, func(name string, d fs.DirEntry, err error) error {
		// It is told of a directory before that is read, and again where that
		// failed.
		if err == nil && d.IsDir() {
			_ = parent.Chmod(filepath.FromSlash(name), 0o700)
		}
		return nil
	})
}
