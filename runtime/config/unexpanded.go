package config

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Unexpanded finds values that look as if a shell or Docker Compose were to expand
// them, which nothing does here: each with its place, and once. The JSON pointers of
// commands lead to lists of words to run, those of values to any other value; both
// into the selected provider's part.
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
			found.Add(n.Pos(), n.Field(), strings.Join(refs, ", ")+" is not expanded: the value is used as it is written",
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
	// variable is a reference to one, or a command to be put in. Without braces it has
	// capitals: "$argon2id" begins a hash, and "$set" is a word of some language.
	variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(?:\{+[^{}]*\}+|\([^()]*\)|[A-Z_][A-Z0-9_]*)`) })
	// home is a home directory, at the beginning of a path.
	home = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|[:=])(~[a-z_-]*)(?:/|$)`) })
)

// maxReferences bounds what is said of one value, maxReference one of them, in
// characters.
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

// expanders are programs to which a $ means something in their arguments: shells,
// what hands words to a shell, and languages whose programs are one word.
var expanders = strings.Fields(`
	sh bash dash ash zsh ksh mksh yash fish csh tcsh rc nu elvish xonsh busybox toybox pwsh powershell cmd
	ssh su watch entr concurrently nodemon make gmake just
	awk gawk mawk nawk perl php tclsh expect jq yq envsubst
`)

var version = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[0-9.]+$`) })

// expands reports whether a word of a command names such a program, by whatever path.
func expands(word string) bool {
	name := strings.TrimSuffix(path.Base(strings.ReplaceAll(word, `\`, "/")), ".exe")
	return slices.Contains(expanders, name) || slices.Contains(expanders, version().ReplaceAllString(name, ""))
}

// isCode reports whether the word after this one is a program in some language.
func isCode(word string) bool {
	return slices.Contains([]string{"-c", "-e", "-E", "-r", "-p", "-pe", "--eval", "--print", "--execute", "--command", "--run", "--exec"}, word)
}
