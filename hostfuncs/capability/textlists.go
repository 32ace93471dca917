package capability

import (
	"path"
	"slices"
	"strings"
)

// textList is a list of a policy's section build whose rules are texts, and
// what a build has that they are compared with. All that is known of such a
// list is here: it is parsed, decided on and looked through as every other is.
type textList struct {
	key string // below build
	// texts are what a build has, and is tells whether one is written in the
	// only way there is; nil takes any.
	texts func(*Build) []string
	is    func(text string) bool
	what  string // one of them, in words
	// why says what is wrong with a text that is none; nil, and an empty answer,
	// say no more than that.
	why func(text string) string
	// open says that any is allowed where a policy lacks the list.
	open bool
	// free are allowed where no policy has the list, were there no policy.
	free func(text string) bool
	// fresh is an index without rules.
	fresh func() textIndex
	// rule is what allows a text and little else; false where none can.
	rule func(text string) (string, bool)
	// covers tells whether a rule matches all that another one does.
	covers func(deny bool, a, b string) bool
	// images says that the texts are references of images.
	images bool
}

// fault says why a text is none of the list's; empty where it is one.
func (l textList) fault(text string) string {
	if l.is == nil || l.is(text) {
		return ""
	}
	fault := "is no " + l.what
	if l.why != nil {
		if why := l.why(text); why != "" {
			fault += ": " + why
		}
	}
	return fault
}

// textIndex finds rules for a text.
type textIndex interface {
	index
	allows(text string) *Rule
	// denies finds rules for the text's other spellings too.
	denies(text string) *Rule
}

var textLists = []textList{
	{
		key: "targets", texts: func(b *Build) []string { return one(b.Target) }, open: true,
		fresh: func() textIndex { return new(stages) }, rule: itself, covers: nameCovers,
	},
	{
		key: "bases", texts: func(b *Build) []string { return b.Bases }, is: isReference, what: "full reference of an image", open: true,
		fresh: func() textIndex { return new(images) }, rule: itself, covers: segmentsCover, images: true,
	},
	{
		key: "layouts", texts: func(b *Build) []string { return b.Layouts }, is: isLayout, what: "OCI layout, with a clean path",
		fresh: func() textIndex { return new(places) }, rule: func(text string) (string, bool) { return placePath(text), true }, covers: placeCovers,
	},
	{
		key: "syntax", texts: func(b *Build) []string { return one(b.Syntax) }, is: isReference, what: "full reference of an image",
		fresh: func() textIndex { return new(frontends) }, rule: frontendRule, covers: frontendCovers, images: true,
	},
	{
		key: "remotes", texts: func(b *Build) []string { return b.Remotes }, is: isRemote, what: "clean URL of a source", why: remoteFault,
		fresh: func() textIndex { return new(remotes) }, rule: itself, covers: segmentsCover,
	},
	{
		key: "platforms", texts: func(b *Build) []string { return b.Platforms }, is: isPlatform, what: "platform by its usual name", open: true,
		fresh: func() textIndex { return new(platforms) }, rule: itself, covers: nameCovers,
	},
	{
		key: "secrets", texts: func(b *Build) []string { return b.Secrets }, is: secretText.MatchString, what: "ID of a secret",
		fresh: func() textIndex { return new(secretIDs) }, rule: itself, covers: nameCovers,
	},
	{
		key: "cache_from", texts: func(b *Build) []string { return b.CacheFrom }, is: isReference, what: "full reference of a cache",
		fresh: func() textIndex { return new(images) }, rule: itself, covers: segmentsCover, images: true,
	},
	{
		key: "cache_to", texts: func(b *Build) []string { return b.CacheTo }, is: isReference, what: "full reference of a cache",
		fresh: func() textIndex { return new(images) }, rule: itself, covers: segmentsCover, images: true,
	},
	{
		key: "outputs", texts: func(b *Build) []string { return b.Outputs }, is: isOutput, what: "output, with a clean path",
		fresh: func() textIndex { return new(places) }, rule: func(text string) (string, bool) { return placePath(text), true }, covers: placeCovers,
	},
	{
		key: "engines", texts: func(b *Build) []string { return one(b.engine()) }, is: isEngine, what: "engine, or no address of one",
		free:  func(text string) bool { return !strings.Contains(text, "+") },
		fresh: func() textIndex { return new(engines) }, rule: itself, covers: nameCovers,
	},
}

// textKeyNames are the lists' keys, in their order.
func textKeyNames() []string {
	keys := make([]string, len(textLists))
	for i, l := range textLists {
		keys[i] = l.key
	}
	return keys
}

// textListOf finds a list by its key in a policy, such as build.bases.
func textListOf(key string) (textList, bool) {
	i := slices.IndexFunc(textLists, func(l textList) bool { return "build."+l.key == key })
	if i < 0 {
		return textList{}, false
	}
	return textLists[i], true
}

// textRules are a section's rules of one list. That they are there, were there
// no rule, means that nothing else is allowed.
type textRules struct {
	allow, deny textIndex
	// exact is what is allowed in code besides, and any says that all is.
	exact map[string]*Rule
	any   bool
}

// rulesOf are the section's rules of a list, from now on if not before.
func (s *section) rulesOf(l textList) *textRules {
	if s.texts == nil {
		s.texts = make(map[string]*textRules)
	}
	if s.texts[l.key] == nil {
		s.texts[l.key] = &textRules{allow: l.fresh(), deny: l.fresh(), exact: make(map[string]*Rule)}
	}
	return s.texts[l.key]
}

func (t *textRules) find(text string) (allow, deny *Rule) {
	if t == nil {
		return nil, nil
	}
	return first(t.allow.allows(text), t.exact[text]), t.deny.denies(text)
}

// itself is the rule that is the text.
func itself(text string) (string, bool) { return text, true }

func frontendRule(text string) (string, bool) {
	name, _, ok := frontend(text)
	return name, ok
}

func nameCovers(_ bool, a, b string) bool { return globCovers(a, b) }

func segmentsCover(_ bool, a, b string) bool {
	return listCovers(strings.Split(a, "/"), strings.Split(b, "/"), globCovers)
}

func frontendCovers(deny bool, a, b string) bool {
	nameA, digestA, _ := frontend(a)
	nameB, digestB, _ := frontend(b)
	return nameA == nameB || deny && digestA == digestB
}

func placeCovers(_ bool, a, b string) bool {
	if isAbs(a) != isAbs(b) {
		return false
	}
	return listCovers(pathWords(path.Clean(a)), pathWords(path.Clean(b)), globCovers)
}

// missed knows an image of which a rule means another tag or digest; empty where
// it means another image.
func (l textList) missed(rule, text string) string {
	full, err := Reference(rule)
	if err != nil || !l.images {
		return ""
	}
	a, b := fullReference.FindStringSubmatch(full), fullReference.FindStringSubmatch(text)
	switch {
	case a[1] != b[1] || a[2] != b[2]:
		return ""
	case a[4] != "" && b[4] != "" && a[4] != b[4]:
		return "it is another digest"
	case a[4] == "" && b[4] != "":
		return "it has no digest; " + rule + "@sha256:* is any"
	}
	return "it is another tag"
}
