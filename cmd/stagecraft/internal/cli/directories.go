package cli

import (
	"path/filepath"
	"runtime"
	"strings"
)

// directories are the user's own; one that can't be known is empty.
type directories struct {
	providers string
	cache     string
	heads     string // of audit logs
	inputs    string // hashes of what commands succeeded with
	machine   string // the file with this machine's name
}

// userDirectories follows the XDG base directory specification, with what macOS
// and Windows have in its place, as os.UserCacheDir does.
// https://specifications.freedesktop.org/basedir-spec/latest/
func userDirectories(environ []string) directories {
	get := func(name string) string {
		value := ""
		for _, entry := range environ {
			if n, v, ok := strings.Cut(entry, "="); ok && n == name {
				value = v
			}
		}
		if !filepath.IsAbs(value) {
			return ""
		}
		return value
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
	if first == "" {
		first = second
	}
	if first == "" {
		return ""
	}
	return filepath.Join(first, "stagecraft", name)
}
