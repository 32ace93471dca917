package capability

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// buildList is a list of the section build of a policy, and what a build has that
// its rules are compared with.
type buildList struct {
	name string // with the section, such as build.tags
	// texts are what a build has, and is reports whether one is written in the
	// only way there is; nil takes any. what describes one.
	texts func(*Build) []string
	is    func(text string) bool
	what  string
	// why says more about a text for which is returns false. It may be nil.
	why func(text string) string
	// fixed marks a list that is decided for every build. Of any other, code can
	// allow all, see [AllowAnyBuild].
	fixed bool
	// open marks a list without which a policy allows any text.
	open bool
	// free are allowed where no policy has the list, even without a policy.
	free func(text string) bool
	// index returns an index without rules.
	index func() index
	// rule allows a text and little else; false where no rule can. Nil is the
	// text itself.
	rule func(text string) (string, bool)
	// covers reports whether a rule matches all that another one does. Nil
	// compares names. search is the text of [Key.SearchText].
	covers func(deny bool, a, b string) bool
	search func(rule string) string
	// images marks references of images.
	images bool
}

var buildLists = []buildList{
	{
		name: "build.contexts", texts: func(b *Build) []string { return []string{b.Context} }, is: fs.ValidPath, what: "a clean path in the project", fixed: true,
		index:  func() index { return new(paths) },
		covers: func(_ bool, a, b string) bool { return pathCovers(path.Clean(a), path.Clean(b)) }, search: path.Clean,
	},
	{
		name: "build.tags", texts: func(b *Build) []string { return b.Tags }, fixed: true,
		index: func() index { return new(references) }, covers: segmentsCover,
	},
	{
		name: "build.args", texts: func(b *Build) []string { return b.Args }, is: isName, what: "the name of an argument", fixed: true,
		index: func() index { return new(variables) },
	},
	{
		name: "build.targets", texts: func(b *Build) []string { return one(b.Target) }, open: true,
		index: func() index { return new(names) },
	},
	{
		name: "build.bases", texts: func(b *Build) []string { return b.Bases }, is: isReference, what: "a full reference of an image", open: true,
		index: func() index { return new(images) }, covers: segmentsCover, search: anyText, images: true,
	},
	{
		name: "build.layouts", texts: func(b *Build) []string { return b.Layouts }, is: isLayout, what: "an OCI layout with a clean path",
		index: func() index { return new(places) }, rule: placeRule, covers: placeCovers, search: anyText,
	},
	{
		name: "build.syntax", texts: func(b *Build) []string { return one(b.Syntax) }, is: isReference, what: "a full reference of an image",
		index: func() index { return new(frontends) }, rule: frontendRule, covers: frontendCovers, search: anyText, images: true,
	},
	{
		name: "build.remotes", texts: func(b *Build) []string { return b.Remotes }, is: isRemote, what: "a clean URL of a source", why: remoteFault,
		index: func() index { return new(remotes) }, covers: segmentsCover, search: anyText,
	},
	{
		name: "build.platforms", texts: func(b *Build) []string { return b.Platforms }, is: isPlatform, what: "a platform by its usual name", open: true,
		index: func() index { return new(platforms) }, search: anyText,
	},
	{
		name: "build.secrets", texts: func(b *Build) []string { return b.Secrets }, is: isSecret, what: "the ID of a secret",
		index: func() index { return new(secretIDs) }, search: anyText,
	},
	{
		name: "build.cache_from", texts: func(b *Build) []string { return b.CacheFrom }, is: isReference, what: "a full reference of a cache",
		index: func() index { return new(images) }, covers: segmentsCover, search: anyText, images: true,
	},
	{
		name: "build.cache_to", texts: func(b *Build) []string { return b.CacheTo }, is: isReference, what: "a full reference of a cache",
		index: func() index { return new(images) }, covers: segmentsCover, search: anyText, images: true,
	},
	{
		name: "build.outputs", texts: func(b *Build) []string { return b.Outputs }, is: isOutput, what: "an output with a clean path",
		index: func() index { return new(places) }, rule: placeRule, covers: placeCovers, search: anyText,
	},
	{
		name: "build.engines", texts: func(b *Build) []string { return one(b.engine()) }, is: isEngine, what: "an engine or the address of one",
		free:  func(text string) bool { return !strings.Contains(text, "+") },
		index: func() index { return new(engines) }, search: anyText,
	},
}

// key is the list as a key of a policy.
func (l *buildList) key() Key {
	k := Key{name: l.name, index: l.index, miss: l.miss, list: l}
	if l.covers != nil {
		k.covers = func(deny bool, a, b *Rule) bool { return l.covers(deny, a.Text, b.Text) }
	}
	if l.search != nil {
		k.search = func(_ bool, r *Rule) string { return l.search(r.Text) }
	}
	return k
}

// fault says why a build cannot have a text; empty where it can.
func (l *buildList) fault(text string) string {
	if l.is == nil || l.is(text) {
		return ""
	}
	fault := "is not " + l.what
	if l.why != nil {
		if why := l.why(text); why != "" {
			fault += ": " + why
		}
	}
	return fault
}

// ruleFor allows a text and little else.
func (l *buildList) ruleFor(text string) (string, bool) {
	if l.rule == nil {
		return text, true
	}
	return l.rule(text)
}

func (l *buildList) miss(_ *Key, p Part, rule *Rule) (int, string) {
	text := p.text
	if written, ok := l.ruleFor(text); ok {
		text = written
	}
	if why := l.otherImage(rule.Text, text); why != "" {
		return 65, why
	}
	return missText(text, rule.Text)
}

// otherImage says that a rule names another tag or digest of the same image;
// empty where it names another image.
func (l *buildList) otherImage(rule, text string) string {
	full, err := Reference(rule)
	if err != nil || !l.images {
		return ""
	}
	a, b := fullReference().FindStringSubmatch(full), fullReference().FindStringSubmatch(text)
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

// one is a list of a text; none where it is empty.
func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// anyText is for rules that can be written in several ways, so that no text finds
// those that cover them.
func anyText(string) string { return "*" }

func placeRule(text string) (string, bool) { return placePath(text), true }

func frontendRule(text string) (string, bool) {
	name, _, ok := frontend(text)
	return name, ok
}

func segmentsCover(_ bool, a, b string) bool {
	return listCovers(strings.Split(a, "/"), strings.Split(b, "/"), globCovers)
}

func frontendCovers(deny bool, a, b string) bool {
	nameA, digestA, _ := frontend(a)
	nameB, digestB, _ := frontend(b)
	return nameA == nameB || deny && digestA == digestB
}

func placeCovers(_ bool, a, b string) bool {
	return isAbs(a) == isAbs(b) && pathCovers(path.Clean(a), path.Clean(b))
}

var engineText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:docker|buildkit)\+(?:tcp://` + anyHost + `:[1-9][0-9]{0,4}|ssh://` + anyUser + anyHost + `(?::[1-9][0-9]{0,4})?)$`)
})

// Hosts and users of addresses have no character in them that ends one, so no
// other part of an address is taken for its host.
const (
	anyHost = `(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])`
	anyUser = `(?:[A-Za-z0-9._-]+@)?`
)

func isEngine(text string) bool {
	return slices.Contains([]string{"docker", "buildkit", "embedded"}, text) || engineText().MatchString(text)
}

var (
	platformText = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^([a-z0-9_.-]+)/([a-z0-9_.-]+)(?:/([a-z0-9_.-]+))?$`)
	})
	secretText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.-]+$`) })
)

// otherPlatforms are platforms, and parts of them, with the names that they are
// normalized to.
// https://pkg.go.dev/github.com/containerd/platforms#Normalize
var otherPlatforms = map[string]string{
	"macos": "darwin", "x86_64": "amd64", "x86-64": "amd64", "i386": "386", "aarch64": "arm64", "armhf": "arm/v7", "armel": "arm/v6",
	"amd64/v1": "amd64", "arm64/v8": "arm64", "arm64/v8.0": "arm64", "arm64/8": "arm64", "arm64/9": "arm64/v9", "arm64/9.0": "arm64/v9",
	"arm64/v9.0": "arm64/v9", "arm/": "arm/v7", "arm/5": "arm/v5", "arm/6": "arm/v6", "arm/7": "arm/v7", "arm/8": "arm/v8",
}

func isPlatform(text string) bool {
	m := platformText().FindStringSubmatch(text)
	return m != nil && otherPlatforms[m[1]] == "" && otherPlatforms[m[2]] == "" && otherPlatforms[m[2]+"/"+m[3]] == ""
}

// isLayout reports whether a text is oci:DIR.
func isLayout(text string) bool { return strings.HasPrefix(text, "oci:") && isOutput(text) }

// isOutput reports whether a text is oci:DIR or tar:FILE.
func isOutput(text string) bool {
	kind, file, _ := strings.Cut(text, ":")
	switch {
	case kind != "oci" && kind != "tar":
		return false
	case isAbs(file):
		return path.Clean(file) == file && isName(strings.ReplaceAll(file, "=", ""))
	}
	return fs.ValidPath(file) && !hasDrive(file)
}

func isSecret(text string) bool { return secretText().MatchString(text) }
