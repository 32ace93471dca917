package session

import (
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/gitstate"
)

// DefaultTag is the reference of the image where the user gives none:
// <registry>/<project name>:<short commit>, with -dirty behind it if the files
// are not those of the commit. A project without a name is called by its
// directory, and one outside of git has the version dev.
func (s *Session) DefaultTag() string {
	name := s.config.Project.Name
	if name == "" {
		name = imageName(filepath.Base(s.config.Root))
	}
	if registry := s.config.Project.Registry; registry != "" {
		name = registry + "/" + name
	}
	version := "dev"
	if r, ok := gitstate.Find(s.config.Root); ok {
		if commit := r.Head(); commit != "" {
			version = commit[:7]
			if r.Dirty(s.config.Root, gitstate.Options{Own: s.own(), Getenv: s.getenv}) {
				version += "-dirty"
			}
		}
	}
	return name + ":" + version
}

// getenv is the value of a variable of the user's; the last of several counts.
func (s *Session) getenv(name string) string {
	value := ""
	for _, entry := range s.opts.Environ {
		if n, v, ok := strings.Cut(entry, "="); ok && n == name {
			value = v
		}
	}
	return value
}

var notInImageName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^a-z0-9]+`) })

// imageName turns any directory's name into one that an image can have.
func imageName(directory string) string {
	name := strings.Trim(notInImageName().ReplaceAllString(strings.ToLower(directory), "-"), "-")
	if name == "" {
		return "app"
	}
	return name
}
