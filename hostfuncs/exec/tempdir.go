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

// tempName is the prefix of directories for temporary files of confined runs.
const tempName = "stagecraft-run-"

// tempDir is a directory for the temporary files of one run, locked during the run.
type tempDir struct {
	path string
	lock *filelock.Lock
}

// newTempDir creates a directory for the temporary files of this run, so that it does not
// need access to the shared one.
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

// sweepTempDirs removes directories of this user's killed runs. Anybody can write to the
// shared directory, so those of other users are not even opened.
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
		// A new directory is locked before it gets this name.
		if lock, err := filelock.Try(dir); err == nil {
			_ = removeTree(dir)
			_ = lock.Release()
		}
	}
}

// remove removes the directory and its content.
func (t *tempDir) remove() error {
	err := removeTree(t.path)
	if err != nil {
		err = fmt.Errorf("cannot remove the directory for temporary files: %w", err)
	}
	return errors.Join(err, t.lock.Release())
}

// removeTree is [os.RemoveAll], also for directories that their owner may not write to.
// It follows no link.
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
		// Called before a directory is read, and again if reading failed.
		if err == nil && d.IsDir() {
			_ = parent.Chmod(filepath.FromSlash(name), 0o700)
		}
		return nil
	})
}
