// Package provider finds a provider's Wasm module by the provider's ID: built
// into stagecraft, in the project's directory, or in the user's.
package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

// MaxSize is the size limit of a module, in bytes.
const MaxSize = 64 << 20

// Extension ends the name of a module's file; the ID is before it.
const Extension = ".wasm"

// Origin says where a module was found.
type Origin string

// The places for modules, in the order in which they are looked at.
const (
	BuiltIn Origin = "built-in"
	Project Origin = "project"
	User    Origin = "user"
	// Named is a file that the user named.
	Named Origin = "file"
)

// Source is a module that was found and is not read yet.
type Source struct {
	ID     string
	Origin Origin
	// Path is the file, or for a built-in module its name in the binary.
	Path string

	fsys fs.FS // the binary's, nil for a file
}

// Hashed is a file system of built-in modules whose digests were made when the program was
// built. Other file systems are read and hashed in each run.
type Hashed interface {
	fs.FS
	// Hashed returns how to read a file, and the SHA-256 in hex of what that returns.
	Hashed(name string) (read func() ([]byte, error), digest string)
}

// Module is a module's bytes. Those of a file are read once, so the hashed bytes are the
// ones that run.
type Module struct {
	Source

	read   func() ([]byte, error)
	digest string
}

// Bytes returns the module, which is not to be changed. Those of a built-in module are
// unpacked by each call.
func (m Module) Bytes() ([]byte, error) { return m.read() }

// Digest is the SHA-256 of the module in hex.
func (m Module) Digest() string { return m.digest }

// UnusableError says why a file cannot be a provider's module.
type UnusableError struct {
	// ID is the provider's ID by the file's name, or empty.
	ID     string
	Path   string
	Reason string
}

func (e *UnusableError) Error() string { return e.Path + ": " + e.Reason }

// Dirs are the places to search. An empty name is skipped; a missing directory has no
// modules.
type Dirs struct {
	BuiltIn fs.FS
	Project string
	User    string
}

// Find lists the modules of all places, sorted by ID; the first place with an ID wins.
// Unusable files are listed apart, since they matter only when one is selected: names
// that are not IDs, and IDs of built-in providers, which nothing can replace.
func Find(dirs Dirs) (found []Source, unusable []*UnusableError, err error) {
	for _, place := range []struct {
		origin Origin
		dir    string
		fsys   fs.FS
	}{{BuiltIn, "", dirs.BuiltIn}, {Project, dirs.Project, nil}, {User, dirs.User, nil}} {
		sources, err := list(place.origin, place.dir, place.fsys)
		if err != nil {
			return nil, nil, err
		}
		for _, source := range sources {
			i := slices.IndexFunc(found, func(s Source) bool { return s.ID == source.ID })
			if err := backend.CheckID(source.ID); err != nil {
				unusable = append(unusable, &UnusableError{source.ID, source.Path, err.Error()})
			} else if i < 0 {
				found = append(found, source)
			} else if found[i].Origin == BuiltIn {
				unusable = append(unusable, &UnusableError{source.ID, source.Path, fmt.Sprintf(
					"the ID %q belongs to a built-in provider: rename the file, and the provider in it", source.ID)})
			}
		}
	}
	slices.SortFunc(found, func(a, b Source) int { return strings.Compare(a.ID, b.ID) })
	return found, unusable, nil
}

// list finds the modules of one place: a directory, or the binary's own.
func list(origin Origin, dir string, binary fs.FS) ([]Source, error) {
	fsys := binary
	if dir != "" {
		fsys = os.DirFS(dir)
	}
	if fsys == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &UnusableError{Path: dir, Reason: "cannot read the directory of providers: " + reason(err)}
	}
	var sources []Source
	for _, entry := range entries {
		if id, ok := strings.CutSuffix(entry.Name(), Extension); ok {
			sources = append(sources, Source{ID: id, Origin: origin, Path: filepath.Join(dir, entry.Name()), fsys: binary})
		}
	}
	return sources, nil
}

// File is a source for a file that the user named.
func File(path string) Source { return Source{Origin: Named, Path: path} }

// Read reads the module, once.
//
// # Errors
//
// An [*UnusableError] for a missing file, and for one that is not a regular file or
// too large.
func (s Source) Read() (Module, error) {
	if hashed, ok := s.fsys.(Hashed); ok {
		read, digest := hashed.Hashed(s.Path)
		return Module{s, read, digest}, nil
	}
	data, err := s.bytes()
	if err != nil {
		return Module{}, &UnusableError{s.ID, s.Path, reason(err)}
	}
	sum := sha256.Sum256(data)
	return Module{s, func() ([]byte, error) { return data, nil }, hex.EncodeToString(sum[:])}, nil
}

func (s Source) bytes() ([]byte, error) {
	if s.fsys != nil {
		return fs.ReadFile(s.fsys, s.Path)
	}
	data, err := safefile.Read(s.Path, MaxSize+1)
	if err == nil && len(data) > MaxSize {
		err = fmt.Errorf("the file is larger than the limit for a module, %d bytes", MaxSize)
	}
	return data, err
}

// reason removes the path from a file error: [UnusableError] names it.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
