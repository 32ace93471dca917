package learn

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// maxPlaces is the most files and directories below one directory that get a rule each. If
// there are more, one rule is for the whole directory, which is easier to review. It never
// is for the project directory.
const maxPlaces = 8

// placeRules are the rules for files and directories of the project. The system confines
// commands to files and whole directories; creating, removing and renaming in a directory
// needs the latter. A directory that a command created exists at its next start, so it
// needs only a rule for itself. Directories that were only listed are for listRules.
func (f *found) placeRules(j *judge, provider string, uses []capability.Use) []capability.Grant {
	may := func(s capability.Subtree, write bool) Withheld {
		if s.Below {
			return j.directory(provider, s.Path, write)
		}
		return j.file(provider, s.Path, write)
	}
	write, read := make(places), make(places)
	reads := readDirectories(uses)
	var listed []string
	for _, u := range uses {
		s, writes := placeOf(u)
		switch {
		case u.Kind == capability.UseList && (!reads[u.Path] || may(s, false).Why != ""):
			listed = append(listed, s.Path)
		case f.withhold(may(s, writes)):
		case writes:
			write.add(s)
		default:
			read.add(j.lasting(provider, s))
		}
	}
	write.join(func(s capability.Subtree) bool { return may(s, true).Why == "" })
	// Writing includes reading.
	for name, s := range read {
		if write.contain(s) {
			delete(read, name)
		}
	}
	read.join(func(s capability.Subtree) bool { return may(s, false).Why == "" })
	grants := append(write.grants("files.write"), read.grants("files.read")...)
	return append(grants, f.listRules(j, provider, listed, func(s capability.Subtree) bool { return write.contain(s) || read.contain(s) })...)
}

// placeOf is the file, or the directory with all that is in it, that a use takes.
func placeOf(u capability.Use) (s capability.Subtree, write bool) {
	switch u.Kind {
	case capability.UseRead:
		return capability.Subtree{Path: u.Path}.Nameable(), false
	case capability.UseList:
		return capability.Subtree{Path: u.Path, Below: true}.Nameable(), false
	case capability.UseWrite:
		return capability.Subtree{Path: u.Path}.Nameable(), true
	}
	return capability.Subtree{Path: u.Path, Below: true}.Nameable(), true
}

// lasting is a place that stays valid if an editor or version control replaces the file:
// its directory, if that can be learnt.
func (j *judge) lasting(provider string, s capability.Subtree) capability.Subtree {
	dir := path.Dir(s.Path)
	if s.Below || !j.Directories || j.directory(provider, dir, false).Why != "" {
		return s
	}
	return capability.Subtree{Path: dir, Below: true}.Nameable()
}

// places are files and whole directories by their paths. A directory replaces a file of
// the same path.
type places map[string]capability.Subtree

func (p places) add(s capability.Subtree) {
	s.Below = s.Below || p[s.Path].Below
	p[s.Path] = s
}

// join removes places inside others, and replaces more than maxPlaces by their directory
// if it may be used.
func (p places) join(may func(capability.Subtree) bool) {
	for _, s := range p.sorted() {
		if p.inDirectory(s.Path) {
			delete(p, s.Path)
		}
	}
	below := make(map[string]int)
	for name := range p {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			below[dir]++
		}
	}
	// The deepest first: joined places count as one further up.
	dirs := slices.SortedFunc(maps.Keys(below), func(a, b string) int {
		return cmp.Or(strings.Count(b, "/")-strings.Count(a, "/"), strings.Compare(a, b))
	})
	for _, dir := range dirs {
		one := capability.Subtree{Path: dir, Below: true}
		if below[dir] <= maxPlaces || !may(one) {
			continue
		}
		maps.DeleteFunc(p, func(name string, _ capability.Subtree) bool { return strings.HasPrefix(name, dir+"/") })
		p[dir] = one
		for up := path.Dir(dir); up != "."; up = path.Dir(up) {
			below[up] -= below[dir] - 1
		}
	}
}

// inDirectory reports whether a path is in one of the directories.
func (p places) inDirectory(name string) bool {
	for name != "." {
		name = path.Dir(name)
		if p[name].Below {
			return true
		}
	}
	return false
}

// contain reports whether a place is one of these, or in one.
func (p places) contain(s capability.Subtree) bool {
	same, ok := p[s.Path]
	return ok && (same.Below || !s.Below) || p.inDirectory(s.Path)
}

func (p places) sorted() []capability.Subtree {
	return slices.SortedFunc(maps.Values(p), func(a, b capability.Subtree) int { return strings.Compare(a.Path, b.Path) })
}

func (p places) grants(key string) []capability.Grant {
	var grants []capability.Grant
	for _, s := range p.sorted() {
		grants = append(grants, s.Grant(key))
	}
	return grants
}
