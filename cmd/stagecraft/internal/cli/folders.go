package cli

import (
	"path/filepath"
	"runtime"
	"strings"
)

// folders are the user's own; one that can't be known is empty.
type folders struct {
	providers string
	cache     string
	machine   string // the file with this machine's name
}

// userFolders follows the XDG base directory specification, with what macOS
// and Windows have in its place, as os.UserCacheDir does.
// https://specifications.freedesktop.org/basedir-spec/latest/
func userFolders(environ []string) folders {
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
	data, cache := get("XDG_DATA_HOME"), get("XDG_CACHE_HOME")
	defaultData, defaultCache := defaultFolders(runtime.GOOS, get)
	return folders{
		providers: under(data, defaultData, "providers"),
		cache:     under(cache, defaultCache, ""),
		machine:   under(cache, defaultCache, "machine"),
	}
}

func defaultFolders(goos string, get func(string) string) (data, cache string) {
	if goos == "windows" {
		return get("LOCALAPPDATA"), get("LOCALAPPDATA")
	}
	home := get("HOME")
	switch {
	case home == "":
		return "", ""
	case goos == "darwin":
		return filepath.Join(home, "Library", "Application Support"), filepath.Join(home, "Library", "Caches")
	default:
		return filepath.Join(home, ".local", "share"), filepath.Join(home, ".cache")
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
