package gitstate

import (
	"path/filepath"
	"strings"
)

// settings are git's settings that define what a change is.
type settings struct {
	fileMode bool        // the executable bit counts
	ignored  ignoreRules // the user's, for all repositories
}

// settings reads them. Included files are not read. https://git-scm.com/docs/git-config
func (r Repository) settings(getenv func(string) string) settings {
	home, config := "", ""
	if getenv != nil {
		home, config = getenv("HOME"), getenv("XDG_CONFIG_HOME")
	}
	if config == "" && home != "" {
		config = filepath.Join(home, ".config")
	}
	files := []string{filepath.Join(r.common, "config")}
	excludes := ""
	if config != "" {
		files = append([]string{filepath.Join(config, "git", "config")}, files...)
		excludes = filepath.Join(config, "git", "ignore")
	}
	if home != "" {
		files = append(files[:len(files)-1:len(files)-1], filepath.Join(home, ".gitconfig"), files[len(files)-1])
	}
	s := settings{fileMode: true}
	for _, file := range files {
		core := readCore(file)
		switch strings.ToLower(core["filemode"]) {
		case "false", "no", "off", "0":
			s.fileMode = false
		case "true", "yes", "on", "1":
			s.fileMode = true
		}
		if named, ok := core["excludesfile"]; ok {
			if rest, ok := strings.CutPrefix(named, "~/"); ok {
				named = filepath.Join(home, rest)
			}
			excludes = named
		}
	}
	if filepath.IsAbs(excludes) {
		s.ignored = readIgnore(excludes, ".")
	}
	return s
}

// readCore reads the section core, with names in lower case.
func readCore(file string) map[string]string {
	core := make(map[string]string)
	inside := false
	for line := range strings.Lines(readGit(file, maxIgnore)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inside = strings.EqualFold(line, "[core]")
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if inside && ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			core[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return core
}
