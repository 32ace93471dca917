package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"

	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// compile tries the cache first; one that is damaged, full or not ours must
// not keep a provider from running.
func (m *Module) compile(ctx context.Context, wasm []byte, opts Options) error {
	unusable := checkCache(opts.CacheDir)
	if unusable == nil {
		unusable = m.compileCached(ctx, opts.CacheDir, wasm, opts.Operations)
		if unusable == nil {
			return nil
		}
		// The module may be sound, and what is kept of it not.
		if err := m.rebuild(ctx, wasm, opts); err != nil {
			unusable = fmt.Errorf("%w; it could not be built anew: %w", unusable, err)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if m.compiled == nil {
		if err := m.compileWith(ctx, wasm, opts.Operations, wazero.NewCompilationCache()); err != nil {
			return &LoadError{Reason: firstLine(err)}
		}
	}
	if opts.Warn != nil {
		opts.Warn(fmt.Errorf("the cache of compiled providers could not be used: %w", unusable))
	}
	return nil
}

// compileCached compiles with what a directory keeps, and keeps it there.
func (m *Module) compileCached(ctx context.Context, dir string, wasm []byte, operations []string) error {
	if err := checkEntries(dir); err != nil {
		return err
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return err
	}
	if err := m.compileWith(ctx, wasm, operations, cache); err != nil {
		return errors.Join(err, cache.Close(ctx))
	}
	return nil
}

// rebuild compiles into an empty directory, and puts the entries that are there
// then in the place of the module's own in the cache. Those of other modules
// stay: other runs may be about to use them.
func (m *Module) rebuild(ctx context.Context, wasm []byte, opts Options) (err error) {
	fresh, err := os.MkdirTemp(opts.CacheDir, "anew-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	if err := m.compileCached(ctx, fresh, wasm, opts.Operations); err != nil {
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
		return replace(path, filepath.Join(opts.CacheDir, entry))
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

// checkEntries wants nothing but files and directories: whoever opens an entry waits
// for a pipe.
func checkEntries(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			err = fmt.Errorf("%s: %w", path, safefile.ErrIrregular)
		}
		return err
	})
}

// checkCache makes the directory of compiled code where there is none. The code in
// it is run as it is, protected by a checksum only, so the directory must be ours
// alone.
func checkCache(dir string) error {
	if dir == "" {
		return errors.New("there is no directory for it")
	}
	return privatedir.Make(dir)
}
