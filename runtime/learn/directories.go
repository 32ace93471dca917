package learn

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// directoryRules gives a rule for each directory of which all files were read.
func (p *provider) directoryRules(j *judge) []capability.Grant {
	if j.Project == nil {
		return nil
	}
	read := p.readIn()
	var rules []capability.Grant
	for _, dir := range slices.Sorted(maps.Keys(read)) {
		if strings.Contains(dir, "*") || j.directory(p.id, dir, false).Why != "" {
			continue // the rule would stand for other directories, or for what comes to be there
		}
		// One that can't be listed may have files that were not read.
		names, err := regularFiles(j.Project, dir)
		unread := func(name string) bool { return !read[dir][name] }
		if err == nil && len(names) >= 2 && !slices.ContainsFunc(names, unread) {
			rules = append(rules, p.anyIn(dir))
		}
	}
	return rules
}

// regularFiles are the names of the regular files that stand directly in a directory.
func regularFiles(project fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(project, dir)
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// readIn are the names that were read, by their directory.
func (p *provider) readIn() map[string]map[string]bool {
	read := make(map[string]map[string]bool)
	for _, n := range p.needing {
		for _, use := range n.claim.Files {
			if use.Use != capability.Read {
				continue
			}
			dir := path.Dir(use.Path)
			if read[dir] == nil {
				read[dir] = make(map[string]bool)
			}
			read[dir][path.Base(use.Path)] = true
		}
	}
	return read
}

// anyIn is the rule for what stands directly in a directory: that for a file of
// the name *, which can be written as the pattern alone.
func (p *provider) anyIn(dir string) capability.Grant {
	d := capability.Decide(nil, capability.Claim{
		Operation: p.needing[0].claim.Operation, Provider: p.id,
		Files: []capability.FileUse{{Path: path.Join(dir, "*"), Use: capability.Read}},
	})
	return d.Missing[0]
}
