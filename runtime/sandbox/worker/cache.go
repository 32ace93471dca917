package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// compile compiles the module, or loads its compiled code from the cache. A provider must
// run without a usable cache as well: unusable is then the reason.
func (w *worker) compile() (unusable, err error) {
	m := w.module
	if w.dir != "" {
		if unusable = m.compileCached(w.dir); unusable == nil {
			return nil, nil
		}
		// The module may be sound, and its compiled code damaged.
		again := m.rebuild(w.dir)
		if again == nil {
			return unusable, nil
		}
		unusable = fmt.Errorf("%w; cannot rebuild it: %w", unusable, again)
	} else {
		unusable = w.noCache
	}
	if err := m.prepare(wazero.NewRuntimeConfig()); err != nil {
		return nil, &loadError{firstLine(err)}
	}
	return unusable, nil
}

// interpret prepares the module for the interpreter. unusable is the reason why compiled
// code could not be stored, or nil.
func (w *worker) interpret() (unusable, err error) {
	if err := w.module.prepare(wazero.NewRuntimeConfigInterpreter()); err != nil {
		return nil, &loadError{firstLine(err)}
	}
	return w.noCache, nil
}

// compileCached compiles with a directory as the cache.
func (m *module) compileCached(dir string) error {
	if err := checkEntries(dir); err != nil {
		return err
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return err
	}
	if err := m.prepare(wazero.NewRuntimeConfig().WithCompilationCache(cache)); err != nil {
		return errors.Join(err, cache.Close(context.Background()))
	}
	return nil
}

// rebuild compiles into an empty directory, and renames each new entry to its place in
// the cache. It removes nothing else, since another run may be about to use it.
func (m *module) rebuild(dir string) (err error) {
	fresh, err := os.MkdirTemp(dir, "rebuild-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	if err := m.compileCached(fresh); err != nil {
		return err
	}
	return filepath.WalkDir(fresh, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		entry, err := filepath.Rel(fresh, path)
		if err != nil {
			return err
		}
		return replace(path, filepath.Join(dir, entry))
	})
}

// replace renames a file to the path of another one, or of a directory, which must be
// removed first.
func replace(file, old string) error {
	if info, err := os.Lstat(old); err == nil && info.IsDir() {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
	}
	return os.Rename(file, old)
}

// checkEntries allows only files and directories: opening a pipe would wait for its other
// end.
func checkEntries(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			err = fmt.Errorf("%s: %w", path, safefile.ErrIrregular)
		}
		return err
	})
}
