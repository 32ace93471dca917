package watch

import (
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// unnamed are directories that only a pattern with their name includes.
var unnamed = []string{".git", "node_modules"}

// ofTools are directories whose files tools write, and people do not.
var ofTools = []string{
	".git", ".gradle", ".hg", ".mypy_cache", ".next", ".nuxt", ".pytest_cache", ".svn", ".terraform", ".tox", ".venv", "__pycache__",
	"bower_components", "node_modules", "target", "vendor", "venv",
}

// selection is what patterns select.
type selection struct{ paths, ignore []capability.FilePattern }

// file reports whether a file is selected. Its directory is.
func (s selection) file(path string) bool {
	return !s.ignored(path) && slices.ContainsFunc(s.paths, func(p capability.FilePattern) bool { return p.Matches(path) && includes(p, path) })
}

// directory reports whether something in a directory may be selected. The one above may.
func (s selection) directory(path string) bool {
	return !s.ignored(path) && slices.ContainsFunc(s.paths, func(p capability.FilePattern) bool { return p.Reaches(path) && includes(p, path) })
}

func (s selection) ignored(path string) bool {
	return slices.ContainsFunc(s.ignore, func(p capability.FilePattern) bool { return p.Matches(path) })
}

// includes reports whether a pattern names all elements of a path that have to be named.
func includes(p capability.FilePattern, path string) bool {
	for element := range strings.SplitSeq(path, "/") {
		if slices.Contains(unnamed, element) && !p.Names(element) {
			return false
		}
	}
	return true
}

// whole reports whether all of a directory is selected.
func (s selection) whole(path string) bool {
	return slices.ContainsFunc(s.paths, func(p capability.FilePattern) bool { return p.Whole(path) && includes(p, path) })
}
