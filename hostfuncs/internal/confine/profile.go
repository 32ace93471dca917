package confine

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Surroundings determine the paths of a tool. They are the user's, never what a
// provider sets in a child's environment.
type Surroundings struct {
	// Home is the user's home directory, empty without one.
	Home string
	// Temp is the directory for temporary files. It should be the program's own,
	// because the shared one contains other programs' files.
	Temp string
	// Env looks up an environment variable, empty if it is not set. Nil means
	// that none is set.
	Env func(name string) string
}

// profiles are what tools need in addition to the project's directory.
var profiles = map[string]func(Surroundings) Rules{
	"base":   base,
	"git":    git,
	"go":     goTool,
	"node":   node,
	"python": python,
}

// Profiles lists the names that [Profile] knows, sorted.
func Profiles() []string {
	names := make([]string, 0, len(profiles))
	for name := range profiles {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Profile returns what a tool's programs need to run, without the network and the
// project's directory, which the caller adds. It is pure: many of the paths may not
// exist, see [Rules].
//
// All profiles contain base, which every program needs. Caches of a tool are writable,
// and the user's own builds use their content; a variable such as GOCACHE gives the
// program a separate one. No profile contains files that are known to contain
// credentials, such as ~/.npmrc.
//
// A program cannot create a missing cache, because the directory above it is not
// allowed; go build fails then. The caller creates those of [Caches].
//
// # Errors
//
// An error that lists the profiles, for an unknown name.
func Profile(name string, at Surroundings) (Rules, error) {
	of, ok := profiles[name]
	if !ok {
		return Rules{}, fmt.Errorf("unknown profile %q: expected one of %s", name, strings.Join(Profiles(), ", "))
	}
	r := base(at).With(of(at))
	for _, list := range r.pathLists() {
		*list = slices.DeleteFunc(*list, func(p string) bool { return p == "" })
	}
	return r, nil
}

// env returns the path in the first variable that has one, clean; of a list of paths
// it is the first. The root does not count, and neither does a relative path, which
// depends on a program's working directory.
func (s Surroundings) env(names ...string) string {
	if s.Env == nil {
		return ""
	}
	for _, name := range names {
		first, _, _ := strings.Cut(s.Env(name), ":")
		if p := path.Clean(first); path.IsAbs(p) && p != "/" {
			return p
		}
	}
	return ""
}

// home returns a path below the home directory.
func (s Surroundings) home(name string) string { return below(s.Home, name) }

// config, cache and data return paths below the directories of the XDG Base Directory
// Specification.
func (s Surroundings) config(name string) string {
	return below(or(s.env("XDG_CONFIG_HOME"), s.home(".config")), name)
}

func (s Surroundings) cache(name string) string {
	return below(or(s.env("XDG_CACHE_HOME"), s.home(".cache")), name)
}

func (s Surroundings) data(name string) string {
	return below(or(s.env("XDG_DATA_HOME"), s.home(".local/share")), name)
}

// below joins a path to a directory, and is empty without one.
func below(dir, name string) string {
	if !path.IsAbs(dir) {
		return ""
	}
	return path.Join(dir, name)
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}
