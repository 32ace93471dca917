package confine

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Surroundings are what the places of a tool depend on. They are those of the
// user, never what a provider asks to have in a child's environment.
type Surroundings struct {
	// Home is the user's home directory, empty without one.
	Home string
	// Temp is the directory for temporary files. It is best one made for the
	// program, since other programs' files lie in the common one.
	Temp string
	// Env looks up an environment variable, empty when it isn't set. Nil has
	// none.
	Env func(name string) string
}

// profiles are what tools need beside a project's own directory.
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

// Profile is what a tool's programs need to start and to work, without the
// project's directory, which the caller adds, and without the network. It looks
// at nothing but its arguments: many of the paths won't exist, see [Rules].
//
// All profiles contain base: what every program needs. Caches of a tool can be
// written. What is put there, the user's own builds will take; only a cache of
// the program's own, by a variable such as GOCACHE, keeps that apart. Files
// that are known for holding credentials, such as ~/.npmrc, aren't in any.
//
// A cache that doesn't exist yet can't be made by the program, since what is
// around it isn't allowed; go build fails then. The caller makes those of
// [Caches].
//
// # Errors
//
// An error that names the profiles there are, for any other name.
func Profile(name string, at Surroundings) (Rules, error) {
	of, ok := profiles[name]
	if !ok {
		return Rules{}, fmt.Errorf("no profile %q: there are %s", name, strings.Join(Profiles(), ", "))
	}
	r := base(at).With(of(at))
	for _, list := range r.pathLists() {
		*list = slices.DeleteFunc(*list, func(p string) bool { return p == "" })
	}
	return r, nil
}

// env is the clean path in a variable, or in the first one that has one; of a
// list of paths it is the first. A relative one means different directories to
// different programs and counts as none, and so does the root.
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

// home is a path below the home directory.
func (s Surroundings) home(name string) string { return below(s.Home, name) }

// config and cache are paths below the directories of the XDG Base Directory
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

// below is empty where there is no directory to be below of.
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
