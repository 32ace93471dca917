package capability

import (
	"slices"
	"strings"
)

// Dangerous tells whether a variable turns an allowed program into another
// one, and why. Such a variable needs a rule that names it in full. Names are
// compared without regard to case, since npm does so with its own, curl with
// proxies, and Windows with all.
func Dangerous(name string) (why string, ok bool) {
	why = dangerous.find(anyCase(name))
	return why, why != ""
}

// isDangerousPattern tells whether all that a pattern matches is dangerous.
func isDangerousPattern(pattern string) bool {
	pattern = anyCase(pattern)
	return slices.ContainsFunc(dangerous.patterns, func(p whyPattern) bool { return globCovers(p.pattern, pattern) })
}

// dangerous is the table of variables. What is known of a tool is said before
// what is known of an ending.
var dangerous = func() (t whyTable) {
	for _, family := range slices.Concat(variablesOfSystem, variablesOfTools, variablesOfLanguages, variablesByEnding) {
		for _, name := range family.names {
			t.add(anyCase(name), family.why)
		}
	}
	return t
}()

// anyCase is the same for names that differ in case alone. Some letters have
// two lower cases, and some two upper ones.
func anyCase(name string) string { return strings.ToUpper(strings.ToLower(name)) }

// whyTable says why a name is in it. It is fast, since a provider can ask for a
// hundred thousand variables at once. The first that was added for a name counts,
// and a whole name before a pattern.
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
