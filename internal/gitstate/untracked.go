package gitstate

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// untracked reports whether there is a file that is neither tracked nor ignored.
func (c comparison) untracked(entries []entry, below string) bool {
	w := walker{c, make(map[string]bool), make(map[string]bool)}
	for _, e := range entries {
		name := strings.TrimSuffix(e.name, "/")
		w.files[name] = true
		for dir := path.Dir(name); dir != "." && !w.dirs[dir]; dir = path.Dir(dir) {
			w.dirs[dir] = true
		}
	}
	rules := c.settings.ignored.with(readIgnore(filepath.Join(c.common, "info", "exclude"), "."))
	if below == "." {
		return w.has(".", rules)
	}
	// The parents have rules as well, and may be ignored themselves.
	at := "."
	for name := range strings.SplitSeq(below, "/") {
		rules = rules.with(readIgnore(filepath.Join(c.Root, filepath.FromSlash(at), ".gitignore"), at))
		if at = path.Join(at, name); rules.match(at, true) {
			return false
		}
	}
	return w.has(below, rules)
}

// walker looks for untracked files.
type walker struct {
	comparison
	files, dirs map[string]bool // tracked files, and directories with tracked files
}

// has reports whether a directory, by its path from the working tree's root, has an
// untracked file.
func (w walker) has(dir string, rules ignoreRules) bool {
	full := filepath.Join(w.Root, filepath.FromSlash(dir))
	entries, err := list(full)
	if err != nil {
		return true
	}
	rules = rules.with(readIgnore(filepath.Join(full, ".gitignore"), dir))
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		name := path.Join(dir, e.Name())
		switch {
		case e.Name() == ".git" || w.files[name] || w.isOwn(filepath.Join(full, e.Name())) || rules.match(name, e.IsDir()):
			return false
		case e.IsDir():
			return !w.dirs[name] && isRepository(filepath.Join(full, e.Name())) || w.has(name, rules)
		}
		// Git tracks nothing else.
		return e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0
	})
}

func list(dir string) ([]fs.DirEntry, error) {
	f, err := safefile.OpenDir(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// isRepository reports whether a directory is the root of another working tree.
func isRepository(dir string) bool {
	r, ok := Find(dir)
	return ok && r.Root == dir
}

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
