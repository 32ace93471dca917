package session

import (
	"path/filepath"
	"regexp"
	"strings"
)

// DefaultTag is the reference of the image where the user gives none:
// <registry>/<project name>:<short commit>. A project without a
// name is called by its folder, and one outside of git has the version dev.
func (s *Session) DefaultTag() string {
	name := s.config.Project.Name
	if name == "" {
		name = imageName(filepath.Base(s.config.Root))
	}
	if registry := s.config.Project.Registry; registry != "" {
		name = registry + "/" + name
	}
	version := "dev"
	if commit := headCommit(s.config.Root); commit != "" {
		version = commit[:7]
	}
	return name + ":" + version
}

var notInImageName = regexp.MustCompile(`[^a-z0-9]+`)

// imageName turns any folder's name into one that an image can have.
func imageName(folder string) string {
	name := strings.Trim(notInImageName.ReplaceAllString(strings.ToLower(folder), "-"), "-")
	if name == "" {
		return "app"
	}
	return name
}
