package dockerfile

import (
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/patternmatcher"
)

// Take is what a COPY or ADD takes of the context.
type Take struct {
	Name string // COPY or ADD
	Line int
	// Path is the source as it is looked up in the context, with patterns and
	// without a slash before it; "." is all. Any says that it is unknown before the
	// build.
	Path string
	Any  bool
	// Exclude are the patterns of what stays behind of it.
	Exclude []string
}

func (t Take) equal(other Take) bool {
	return t.Name == other.Name && t.Line == other.Line && t.Path == other.Path && t.Any == other.Any && slices.Equal(t.Exclude, other.Exclude)
}

// takes are those of an instruction whose words are expanded.
func takes(c Command) []Take {
	switch known := c.again.(type) {
	case *instructions.AddCommand:
		return takesOf(Take{Name: "ADD", Line: c.Line}, known.SourcePaths, known.ExcludePatterns)
	case *instructions.CopyCommand:
		if known.From == "" {
			return takesOf(Take{Name: "COPY", Line: c.Line}, known.SourcePaths, known.ExcludePatterns)
		}
	}
	return nil
}

func takesOf(t Take, sources, exclude []string) []Take {
	// BuildKit expands no variables there.
	t.Exclude = exclude
	var all []Take
	for _, source := range sources {
		if remote, err := isRemote(source); remote || err != nil {
			continue
		}
		if !known(source) {
			all = append(all, Take{Name: t.Name, Line: t.Line, Any: true})
			continue
		}
		if t.Path = path.Join("/", source)[1:]; t.Path == "" {
			t.Path = "."
		}
		all = append(all, t)
	}
	return all
}

// Takes reports whether a path, by its names, is what the patterns of a source name,
// or below that. Of a directory that cannot be read, what may be in it counts.
func (t Take) Takes(patterns, names []string, isDir bool) bool {
	for i := range min(len(patterns), len(names)) {
		if strings.Contains(patterns[i], "**") {
			return true
		}
		if ok, err := path.Match(patterns[i], names[i]); err != nil || !ok {
			return false
		}
	}
	if len(names) <= len(patterns) {
		return len(names) == len(patterns) || isDir
	}
	return !t.excludes(path.Join(names[len(patterns):]...), isDir)
}

// excludes reports whether a path below the source stays behind.
func (t Take) excludes(below string, isDir bool) bool {
	if len(t.Exclude) == 0 {
		return false
	}
	m, err := patternmatcher.New(t.Exclude)
	if err != nil || isDir && m.Exclusions() {
		return false
	}
	excluded, err := m.MatchesOrParentMatches(below)
	return err == nil && excluded
}
