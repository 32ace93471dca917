package learn

import (
	"cmp"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// directoryRules has a rule for each directory of which all files were read.
func (p *provider) directoryRules(j *judge) []capability.Grant {
	if j.Project == nil {
		return nil
	}
	read := p.readIn()
	var rules []capability.Grant
	for _, dir := range slices.Sorted(maps.Keys(read)) {
		if strings.Contains(dir, "*") || j.directory(p.id, dir, false).Why != "" {
			continue // the rule would match other directories, or sensitive files
		}
		// A directory that cannot be listed may have files that were not read.
		names, err := regularFiles(j.Project, dir)
		unread := func(name string) bool { return !read[dir][name] }
		if err == nil && len(names) >= 2 && !slices.ContainsFunc(names, unread) {
			rules = append(rules, p.anyIn(dir))
		}
	}
	return rules
}

// regularFiles are the names of the regular files directly in a directory.
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

// readIn are the names of files that were read, by their directory.
func (p *provider) readIn() map[string]map[string]bool {
	read := make(map[string]map[string]bool)
	for _, n := range p.demands {
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

// anyIn is the rule for the files directly in a directory: the rule for a file named *,
// which is written as a pattern.
func (p *provider) anyIn(dir string) capability.Grant {
	d := capability.Decide(nil, capability.Claim{
		Operation: p.demands[0].claim.Operation, Provider: p.id,
		Files: []capability.FileUse{{Path: path.Join(dir, "*"), Use: capability.Read}},
	})
	return d.Missing[0]
}

// readDirectories are the directories in which commands read a file. One that was also
// listed is learnt as a whole if possible, because the command reads all of it next time.
func readDirectories(uses []capability.Use) map[string]bool {
	dirs := make(map[string]bool)
	for _, u := range uses {
		if u.Kind == capability.UseRead {
			dirs[path.Dir(u.Path)] = true
		}
	}
	return dirs
}

// listRules are the rules for directories that were listed and are not learnt as a whole.
// Other rules allow reading, and so listing, what is covered.
func (f *found) listRules(j *judge, provider string, dirs []string, covered func(capability.Subtree) bool) []capability.Grant {
	list := make(places)
	may := func(s capability.Subtree) bool { return j.listing(provider, s.Path).Why == "" }
	var withheld []Withheld
	for _, dir := range dirs {
		s := capability.Subtree{Path: dir, Below: true}
		if w := j.listing(provider, dir); w.Why != "" {
			withheld = append(withheld, w)
		} else if !covered(s) {
			list.add(s)
		}
	}
	list.join(may)
	for _, w := range withheld {
		// It may be below a listed directory.
		if s := (capability.Subtree{Path: w.Path, Below: true}); !covered(s) && !list.contain(s) {
			f.withhold(w)
		}
	}
	var grants []capability.Grant
	for _, s := range list.sorted() {
		grants = append(grants, s.ListGrant())
	}
	return grants
}

// listing says why listing a directory, with those below it, is not learnt: it is
// sensitive itself, or makes everything in it so. Sensitive files in it do not matter,
// because they stay unreadable.
func (j *judge) listing(provider, dir string) Withheld {
	w := Withheld{Path: dir}
	if j.into != nil && j.into.DeniesBelow(provider, dir) {
		w.Why, w.Fixed = j.deniesPart(), true
		return w
	}
	w.Why = cmp.Or(j.secrecy(dir, false), j.secrecy(path.Join(dir, "name"), false))
	return w
}
