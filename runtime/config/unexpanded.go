package config

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Unexpanded finds values with references that a shell or Docker Compose would expand
// and Stagecraft does not, each once. commands and values are JSON pointers into the
// selected provider's part: to lists of words to run, and to other values.
func (c *Config) Unexpanded(commands, values []string) yamldoc.Problems {
	var found yamldoc.Problems
	for _, pointer := range commands {
		unexpandedWords(c.part.At(pointer), &found)
	}
	for _, pointer := range values {
		unexpandedIn(c.part.At(pointer), &found)
	}
	slices.SortStableFunc(found, func(a, b yamldoc.Problem) int { return a.Pos.Compare(b.Pos) })
	return slices.CompactFunc(found, func(a, b yamldoc.Problem) bool { return a.Pos == b.Pos })
}

func unexpandedWords(command *yamldoc.Node, found *yamldoc.Problems) {
	if slices.ContainsFunc(command.Items(), func(word *yamldoc.Node) bool { return expands(word.Text()) }) {
		return
	}
	for i, word := range command.Items() {
		if i == 0 || !isCode(command.Items()[i-1].Text()) {
			unexpandedIn(word, found)
		}
	}
}

func unexpandedIn(n *yamldoc.Node, found *yamldoc.Problems) {
	if n.Kind() == yamldoc.KindString {
		if refs := references(n.Text()); len(refs) > 0 {
			found.Add(n.Pos(), n.Field(), strings.Join(refs, ", ")+" is not expanded: the value is used as written",
				`write the value itself, or have a shell expand it: command: [sh, -c, "..."]`)
		}
	}
	for _, item := range n.Items() {
		unexpandedIn(item, found)
	}
	for _, e := range n.Entries() {
		unexpandedIn(e.Value, found)
	}
}

var (
	// variable matches a reference to a variable, or a command substitution. Without
	// braces only capitals count: "$argon2id" begins a hash, "$set" is a query operator.
	variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(?:\{+[^{}]*\}+|\([^()]*\)|[A-Z_][A-Z0-9_]*)`) })
	// home matches a home directory at the start of a path.
	home = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|[:=])(~[a-z_-]*)(?:/|$)`) })
)

// maxReferences is the number of references shown of one value, maxReference the
// length of each in characters.
const (
	maxReferences = 5
	maxReference  = 60
)

func references(text string) []string {
	var refs []string
	if m := home().FindStringSubmatch(text); m != nil {
		refs = append(refs, m[1])
	}
	for _, ref := range variable().FindAllString(text, maxReferences) {
		if runes := []rune(ref); len(runes) > maxReference {
			ref = string(runes[:maxReference]) + "..."
		}
		if ref = yamldoc.Word(ref); !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// expanders are programs that give a $ in their arguments a meaning: shells, programs
// that run a shell, and languages with one-line programs.
var expanders = strings.Fields(`
	sh bash dash ash zsh ksh mksh yash fish csh tcsh rc nu elvish xonsh busybox toybox pwsh powershell cmd
	ssh su watch entr concurrently nodemon make gmake just
	awk gawk mawk nawk perl php tclsh expect jq yq envsubst
`)

var version = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[0-9.]+$`) })

// expands reports whether a word of a command names such a program, by any path.
func expands(word string) bool {
	name := strings.TrimSuffix(path.Base(strings.ReplaceAll(word, `\`, "/")), ".exe")
	return slices.Contains(expanders, name) || slices.Contains(expanders, version().ReplaceAllString(name, ""))
}

// isCode reports whether the next word is a program in some language.
func isCode(word string) bool {
	return slices.Contains([]string{"-c", "-e", "-E", "-r", "-p", "-pe", "--eval", "--print", "--execute", "--command", "--run", "--exec"}, word)
}
