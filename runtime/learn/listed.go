package learn

import (
	"cmp"
	"path"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// readDirectories are the directories in which commands read a file. One that was
// listed as well is learnt with all that is in it, where that may be: whoever goes
// through a directory reads what is there the next time.
func readDirectories(uses []capability.Use) map[string]bool {
	dirs := make(map[string]bool)
	for _, u := range uses {
		if u.Kind == capability.UseRead {
			dirs[path.Dir(u.Path)] = true
		}
	}
	return dirs
}

// listRules let directories be listed that were listed and are not learnt with all that
// is in them; held tells what other rules let be read, and so listed, already.
func (f *found) listRules(j *judge, provider string, dirs []string, held func(capability.Subtree) bool) []capability.Grant {
	list := make(places)
	may := func(s capability.Subtree) bool { return j.listing(provider, s.Path).Why == "" }
	var withheld []Withheld
	for _, dir := range dirs {
		s := capability.Subtree{Path: dir, Below: true}
		if w := j.listing(provider, dir); w.Why != "" {
			withheld = append(withheld, w)
		} else if !held(s) {
			list.add(s)
		}
	}
	list.join(may)
	for _, w := range withheld {
		// It may be below one that is listed.
		if s := (capability.Subtree{Path: w.Path, Below: true}); !held(s) && !list.hold(s) {
			f.hold(w)
		}
	}
	var grants []capability.Grant
	for _, s := range list.sorted() {
		grants = append(grants, s.ListGrant())
	}
	return grants
}

// listing says why it is not learnt that a directory may be listed, with those below it.
// Single sensitive files in it stay closed, so that they do not matter here: only what
// the directory is itself, and whether anything that is in it is sensitive by that.
func (j *judge) listing(provider, dir string) Withheld {
	w := Withheld{Path: dir}
	if j.into != nil && j.into.DeniesBelow(provider, dir) {
		w.Why, w.Fixed = j.deniesPart(), true
		return w
	}
	w.Why = cmp.Or(j.secrecy(dir, false), j.secrecy(path.Join(dir, "name"), false))
	return w
}
