// Package files has the operations on the files of a project: read_file, stat and
// list. Other operations use its [Project] to locate and read what they need.
package files

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Project is the directory whose files providers may name. It is safe for
// concurrent use.
type Project struct{ root string }

// NewProject returns the project in a directory: an absolute path, with its links
// resolved.
func NewProject(root string) *Project { return &Project{root} }

// Root is the project directory.
func (p *Project) Root() string { return p.root }

// Place is a location in the project, with links resolved.
type Place struct {
	Abs  string // absolute
	Rel  string // with slashes, relative to the project; "." is the project
	Info os.FileInfo
	// Missing is set if nothing is at the path. It is reported after the decision.
	Missing error
}

// MaxPath is the longest path, in bytes, as on Linux. Resolving a missing path takes time
// that grows with the square of the number of its directories.
const MaxPath = 4096

// Locate resolves a path that a provider named. One that leaves the project
// directory, by its elements or by a link, is an error.
func (p *Project) Locate(named string) (Place, error) {
	switch {
	case len(named) > MaxPath:
		return Place{}, abi.Errorf(abi.CodeInvalid, "a path has %d bytes, at most %d are taken", len(named), MaxPath)
	case strings.ContainsRune(named, 0):
		return Place{}, abi.Errorf(abi.CodeInvalid, "path %q has a NUL byte", named)
	}
	lexical := filepath.FromSlash(named)
	if !filepath.IsAbs(lexical) {
		lexical = filepath.Join(p.root, lexical)
	}
	abs, err := ResolveLinks(filepath.Clean(lexical))
	rel, inside := p.Rel(abs)
	if err != nil || !inside {
		return Place{}, &abi.Error{
			Code: abi.CodeInvalid, Message: p.outsideMessage(named, filepath.Clean(lexical)),
			Hint: "only what is below the project directory can be used",
		}
	}
	at := Place{Abs: abs, Rel: rel}
	if at.Info, err = os.Lstat(abs); err != nil {
		at.Missing = abi.Errorf(abi.CodeNotFound, "%q does not exist in the project directory", named)
	}
	return at, nil
}

// Rel returns an absolute path relative to the project, with slashes, and whether
// it is inside.
func (p *Project) Rel(abs string) (rel string, inside bool) {
	rel, err := filepath.Rel(p.root, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// outsideMessage says by which link of the project a path leaves it. It does not reveal
// to a provider what exists outside.
func (p *Project) outsideMessage(named, lexical string) string {
	said := strconv.Quote(named) + " leaves the project directory"
	if link := p.wayOut(lexical); link != "" {
		said += fmt.Sprintf(": the link %q leads to nothing in it", link)
	}
	return said
}

// wayOut returns the link by which a path leaves the project directory, relative to it;
// empty if the path leaves by its elements.
func (p *Project) wayOut(path string) string {
	rel, inside := p.Rel(path)
	if !inside {
		return ""
	}
	at := p.root
	for name := range strings.SplitSeq(rel, "/") {
		at = filepath.Join(at, name)
		resolved, err := filepath.EvalSymlinks(at)
		if _, inside := p.Rel(resolved); err != nil || !inside {
			link, _ := p.Rel(at)
			return link
		}
	}
	return ""
}

// ResolveLinks is [filepath.EvalSymlinks] for paths whose last elements may be
// missing.
func ResolveLinks(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err == nil {
		return resolved, nil
	}
	if _, lerr := os.Lstat(path); lerr == nil {
		// The path exists, but its target does not.
		return "", err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path, nil
	}
	if parent, err = ResolveLinks(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}

// Read reads a regular file of at most limit bytes.
func (p *Project) Read(at Place, limit int64) ([]byte, error) {
	if at.Missing != nil {
		return nil, at.Missing
	}
	if !at.Info.Mode().IsRegular() {
		return nil, abi.Errorf(abi.CodeInvalid, "%q is not a regular file", at.Rel)
	}
	f, err := p.open(at)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, abi.Errorf(abi.CodeFailed, "%q: %v", at.Rel, err)
	}
	if int64(len(data)) > limit {
		return nil, abi.Errorf(abi.CodeTooLarge, "%q has more than %d bytes", at.Rel, limit)
	}
	return data, nil
}

// open opens the file that was decided on, and refuses one that replaced it since.
func (p *Project) open(at Place) (*os.File, error) {
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return nil, abi.Errorf(abi.CodeFailed, "the project directory: %v", err)
	}
	defer root.Close()
	// A pipe in its place must not make us wait for a writer.
	f, err := root.OpenFile(filepath.FromSlash(at.Rel), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, abi.Errorf(abi.CodeFailed, "%v", err)
	}
	info, err := f.Stat()
	if err != nil || !os.SameFile(info, at.Info) {
		f.Close()
		return nil, abi.Errorf(abi.CodeFailed, "%q was replaced while it was opened", at.Rel)
	}
	return f, nil
}
