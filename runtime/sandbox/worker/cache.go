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

// compile uses compiled code that is kept, if it can. Code that is damaged or
// cannot be kept must not stop a provider from running: unusable says why then.
func (w *worker) compile() (unusable, err error) {
	m := w.module
	if w.dir != "" {
		if unusable = m.compileCached(w.dir); unusable == nil {
			return nil, nil
		}
		// The module may be sound, and what is kept of it not.
		again := m.rebuild(w.dir)
		if again == nil {
			return unusable, nil
		}
		unusable = fmt.Errorf("%w; it could not be built anew: %w", unusable, again)
	} else {
		unusable = w.noCache
	}
	if err := m.prepare(wazero.NewRuntimeConfig()); err != nil {
		return nil, &loadError{firstLine(err)}
	}
	return unusable, nil
}

// interpret has the module interpreted. unusable says why code could not be kept.
func (w *worker) interpret() (unusable, err error) {
	if err := w.module.prepare(wazero.NewRuntimeConfigInterpreter()); err != nil {
		return nil, &loadError{firstLine(err)}
	}
	return w.noCache, nil
}

// compileCached compiles with what a directory keeps, and keeps it there.
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

// rebuild compiles into an empty directory, and puts the entries that are there
// then in place of those in the cache: other runs may be about to use these.
func (m *module) rebuild(dir string) (err error) {
	fresh, err := os.MkdirTemp(dir, "anew-")
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

// replace puts a file in the place of another one, or of a directory, which no
// file can be renamed to.
func replace(file, old string) error {
	if info, err := os.Lstat(old); err == nil && info.IsDir() {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
	}
	return os.Rename(file, old)
}

// checkEntries allows only files and directories: opening a pipe blocks until its
// other end is opened.
func checkEntries(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			err = fmt.Errorf("%s: %w", path, safefile.ErrIrregular)
		}
		return err
	})
}
