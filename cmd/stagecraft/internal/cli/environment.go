package cli

import (
	"cmp"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// lookup returns the value of a variable; the last of several counts.
func lookup(environ []string, name string) (value string, set bool) {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// getenv returns the value of a variable, or "" if it is not set.
func (a *app) getenv(name string) string {
	value, _ := lookup(a.Environ, name)
	return value
}

// setting returns the value of one of our variables.
//
// # Errors
//
// yamldoc.Problems for a variable that is set and empty: it was meant to have a
// value.
func (a *app) setting(name string) (string, error) {
	value, set := lookup(a.Environ, name)
	if set && value == "" {
		return "", yamldoc.Problems{{Field: name, Message: "the variable is set and empty", Hint: "set it to a value, or unset it"}}
	}
	return value, nil
}

// directories are the user's own; an unknown one is empty.
type directories struct {
	providers string
	cache     string
	heads     string // of audit logs
	inputs    string // hashes of the inputs of commands that succeeded
	machine   string // the file with this machine's name
}

// userDirectories follows the XDG base directory specification, and uses the
// directories of macOS and Windows there, as os.UserCacheDir does.
// https://specifications.freedesktop.org/basedir-spec/latest/
func userDirectories(environ []string) directories {
	get := func(name string) string {
		if value, _ := lookup(environ, name); filepath.IsAbs(value) {
			return value
		}
		return ""
	}
	data, cache, state := get("XDG_DATA_HOME"), get("XDG_CACHE_HOME"), get("XDG_STATE_HOME")
	defaultData, defaultCache, defaultState := defaultDirectories(runtime.GOOS, get)
	return directories{
		providers: under(data, defaultData, "providers"),
		cache:     under(cache, defaultCache, ""),
		heads:     under(state, defaultState, "audit"),
		inputs:    under(state, defaultState, "inputs"),
		machine:   under(cache, defaultCache, "machine"),
	}
}

func defaultDirectories(goos string, get func(string) string) (data, cache, state string) {
	if goos == "windows" {
		local := get("LOCALAPPDATA")
		return local, local, local
	}
	home := get("HOME")
	switch {
	case home == "":
		return "", "", ""
	case goos == "darwin":
		support := filepath.Join(home, "Library", "Application Support")
		return support, filepath.Join(home, "Library", "Caches"), support
	default:
		local := filepath.Join(home, ".local")
		return filepath.Join(local, "share"), filepath.Join(home, ".cache"), filepath.Join(local, "state")
	}
}

func under(first, second, name string) string {
	dir := cmp.Or(first, second)
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "stagecraft", name)
}
