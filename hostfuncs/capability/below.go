package capability

import (
	"path"
	"slices"
	"strings"
)

// DeniesBelow tells whether a rule of the policy may deny a provider something in a
// directory of the project, at any depth. Who may use a directory may use all that is
// in it, so that no system keeps commands from that part.
func (p *Policy) DeniesBelow(provider, dir string) bool {
	words := foldedWords(pathWords(dir))
	return slices.ContainsFunc(p.lists, func(l List) bool {
		if !l.Deny || !strings.HasPrefix(l.Key, "files.") || l.Provider != provider && l.Provider != anyProvider {
			return false
		}
		return slices.ContainsFunc(l.Rules, func(r *Rule) bool {
			return reachesBelow(foldedWords(pathWords(path.Clean(r.Text))), words)
		})
	})
}

// reachesBelow tells whether a pattern may match a directory, or something in it.
func reachesBelow(pattern, dir []string) bool {
	for i, word := range pattern {
		if word == deep || i == len(dir) {
			return true
		}
		if !glob(word, dir[i]) {
			return false
		}
	}
	return len(pattern) == len(dir)
}
