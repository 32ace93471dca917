package capability

import (
	"slices"
	"strings"
	"sync"
)

// Dangerous reports whether a variable turns an allowed program into another
// one, and why. Such a variable needs a rule that names it in full. Names are
// compared without regard to case, since npm ignores it for its own, curl for
// proxies, and Windows for all.
func Dangerous(name string) (why string, ok bool) {
	why = dangerous().find(anyCase(name))
	return why, why != ""
}

// DangerousPattern reports whether all that a pattern matches is dangerous.
func DangerousPattern(pattern string) bool {
	pattern = anyCase(pattern)
	return slices.ContainsFunc(dangerous().patterns, func(p whyPattern) bool { return globCovers(p.pattern, pattern) })
}

// dangerous is the table of variables. A tool's own variables come before those
// that are known by an ending.
var dangerous = sync.OnceValue(func() *whyTable {
	t := new(whyTable)
	for _, group := range slices.Concat(variablesOfSystem, variablesOfTools, variablesOfLanguages, variablesByEnding) {
		for _, name := range group.names {
			t.add(anyCase(name), group.why)
		}
	}
	return t
})

// anyCase is the same for names that differ in case alone. Some letters have
// two lower cases, and some two upper cases.
func anyCase(name string) string { return strings.ToUpper(strings.ToLower(name)) }

// whyTable says why a name is in it. It is fast, since a provider can ask for a
// hundred thousand variables at once. The first entry for a name counts, and a
// whole name before a pattern.
type whyTable struct {
	exact    map[string]string
	patterns []whyPattern
}

type whyPattern struct{ pattern, why string }

func (t *whyTable) add(name, why string) {
	if strings.Contains(name, "*") {
		t.patterns = append(t.patterns, whyPattern{name, why})
		return
	}
	if t.exact == nil {
		t.exact = make(map[string]string)
	}
	if t.exact[name] == "" {
		t.exact[name] = why
	}
}

// find is why a name is in the table; empty where it is not.
func (t *whyTable) find(name string) string {
	if why := t.exact[name]; why != "" {
		return why
	}
	for _, p := range t.patterns {
		if glob(p.pattern, name) {
			return p.why
		}
	}
	return ""
}
