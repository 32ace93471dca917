package capability

import (
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// texts decides on all that lists of texts are of.
func (e *evaluation) texts(b *Build) {
	for _, l := range textLists {
		for _, text := range l.texts(b) {
			if e.needsNone(l, text) {
				continue
			}
			e.text(l, text)
		}
	}
	if b.Engine == "" && (e.states("bases") || e.wantsDigests() != nil) {
		e.cannot("it is not known which images it builds on")
	}
}

// needsNone tells whether a text is allowed since no policy has the list.
func (e *evaluation) needsNone(l textList, text string) bool {
	if slices.ContainsFunc(e.sections, func(s *section) bool { return s.texts[l.key] != nil && s.texts[l.key].any }) {
		return true // what is made in code denies nothing
	}
	if e.states(l.key) {
		return false
	}
	// Without a section all is missing, so that what is proposed says it.
	return l.open && len(e.sections) > 0 || l.free != nil && l.free(text)
}

// states tells whether the policy has a list, were it an empty one.
func (e *evaluation) states(key string) bool {
	return slices.ContainsFunc(e.sections, func(s *section) bool { return s.texts[key] != nil })
}

func (e *evaluation) text(l textList, text string) {
	allow, deny := e.find(func(s *section) (*Rule, *Rule) { return s.texts[l.key].find(text) })
	e.settle(allow, deny, func() Grant {
		rule, ok := l.rule(text)
		if !ok {
			e.cannot(yamldoc.Word(text) + " has no digest, and what a tag means can change")
		}
		return grantOf("build."+l.key, rule)
	})
}

// digests wants each image to be named by its digest, where the policy does.
func (e *evaluation) digests(b *Build) {
	rule := e.wantsDigests()
	if rule == nil {
		return
	}
	for _, base := range b.Bases {
		if !strings.Contains(base, "@") {
			e.want(rule, yamldoc.Word(base)+" has none")
		}
	}
}

func (e *evaluation) wantsDigests() *Rule {
	var rule *Rule
	for _, s := range e.sections {
		rule = first(rule, s.digests)
	}
	return rule
}
