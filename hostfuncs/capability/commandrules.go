package capability

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// commandCovers compares two commands of one list.
func commandCovers(a, b []string, deny bool) bool {
	nameA, nameB, match := cleanFile(a[0]), cleanFile(b[0]), strictCovers
	if deny {
		nameA, nameB, match = fold(nameA), fold(nameB), globCovers
	}
	return programCovers(nameA, nameB, match) && (a[0] == deep || listCovers(a[1:], b[1:], match))
}

// programCovers compares first words, which are of one kind or never meet.
func programCovers(a, b string, match func(a, b string) bool) bool {
	bare := !strings.Contains(b, "/")
	switch {
	case strings.Contains(a, "/") == bare:
		return false
	case bare:
		return a == deep || b != deep && match(a, b)
	case isAbs(a) != isAbs(b):
		return false
	}
	// No * crosses a slash.
	return slices.EqualFunc(strings.Split(path.Clean(a), "/"), strings.Split(path.Clean(b), "/"), globCovers)
}

// commandDenies compares a rule that denies with one that allows.
func commandDenies(deny, allow *Rule) bool {
	name, called := fold(cleanFile(deny.words[0])), fold(cleanFile(allow.words[0]))
	if deny.words[0] == deep {
		return true
	}
	if !strings.Contains(name, "/") && called != deep {
		// A bare name denies the program by whatever path.
		called = base(called)
	}
	return programCovers(name, called, globCovers) && listCovers(deny.words[1:], allow.words[1:], globCovers)
}

// wordEnd is what separates the words of a command in a text.
const wordEnd = "\x00"

func commandText(words []string, deny bool) string {
	name := cleanFile(words[0])
	if deny {
		name = fold(name)
	}
	if strings.Contains(name, "/") {
		name = path.Clean(name)
	}
	return name + wordEnd + strings.Join(words[1:], wordEnd)
}

func commandDeniedBy(allow *Rule) []string {
	text := commandText(allow.words, true)
	name, rest, _ := strings.Cut(text, wordEnd)
	return []string{text, base(name) + wordEnd + rest}
}

// missCommand says which word of a rule does not match a command.
func missCommand(x *Exec, rule *Rule) (int, string) {
	asked, words := x.Argv, rule.words
	name, wanted := base(asked[0]), base(cleanFile(words[0]))
	if !glob(strings.ToLower(wanted), strings.ToLower(name)) {
		if near := yamldoc.Nearest(name, []string{wanted}); near != "" {
			return 20, fmt.Sprintf("its program is %s", wanted)
		}
		return 0, ""
	}
	var bare execAllow
	if unpinned := (&Rule{words: rule.words}); rule.sha256 != "" && bare.add(unpinned) == nil && bare.find(x) != nil {
		return 95, fmt.Sprintf("it pins another file of the program, with sha256 %s", rule.sha256)
	}
	otherwise := "the program is called in another way: " + yamldoc.Word(asked[0])
	for i, word := range asked[1:] {
		switch {
		case i+1 >= len(words):
			return 40 + i, fmt.Sprintf("it ends before %q; a last ** matches any words", word)
		case words[i+1] == deep:
			return 80, otherwise
		case strictWord(words[i+1], word):
		case glob(words[i+1], word):
			return 60 + i, fmt.Sprintf("its word %q matches nothing that begins with -, such as %q", words[i+1], word)
		default:
			return 40 + i, fmt.Sprintf("its word %d is %q, not %q", i+2, words[i+1], word)
		}
	}
	if len(words) > len(asked) && words[len(asked)] != deep {
		return 40 + len(asked), fmt.Sprintf("it goes on with %q", words[len(asked)])
	}
	return 80, otherwise
}

// Words are the words of a rule of exec.
func (r *Rule) Words() []string { return slices.Clone(r.words) }

// Program is the name of the program of a rule of exec: in lower case, without
// its directory and without the extension of a program on Windows.
func (r *Rule) Program() string { return stem(strings.ToLower(base(cleanFile(r.words[0])))) }

// command reads the words of a command: a list of them, or a string that is
// split at blanks and nowhere else.
func (r *reader) command(n *yamldoc.Node) *Rule {
	rule := &Rule{Pos: n.Pos()}
	switch n.Kind() {
	case yamldoc.KindString:
		if hasQuote(n.Text()) {
			r.problems.Wrong(n, fmt.Sprintf("rule %q has a quote in it, and rules are split at blanks alone", n.Text()), quoteHint)
			return nil
		}
		rule.words = strings.Fields(n.Text())
		rule.Text = n.Text()
	case yamldoc.KindList:
		for _, item := range n.Items() {
			if item.Kind() != yamldoc.KindString {
				r.problems.Expected(item, "a string: put it in quotes")
				return nil
			}
			rule.words = append(rule.words, item.Text())
		}
		rule.Text = quoteWords(rule.words)
	case yamldoc.KindMap:
		return r.pinned(n)
	default:
		r.problems.Expected(n, "a command: a string, a list of words, or a mapping of command and sha256")
		return nil
	}
	return rule
}

func hasQuote(command string) bool { return strings.ContainsAny(command, `"'\`+"`") }

const quoteHint = `write it as a list: [node, "-e", "a b"]`

// pinned reads a command with the digest of its program's file.
func (r *reader) pinned(n *yamldoc.Node) *Rule {
	var rule *Rule
	var digest string
	r.mapping(n, "a command", map[string]func(*yamldoc.Node){
		"command": func(n *yamldoc.Node) {
			if n.Kind() == yamldoc.KindMap {
				r.problems.Expected(n, "a command: a string, or a list of words")
				return
			}
			rule = r.command(n)
		},
		"sha256": func(n *yamldoc.Node) { digest = r.digest(n) },
	})
	if n.Get("command") == nil || n.Get("sha256") == nil {
		r.problems.Wrong(n, "a rule that pins a program has command and sha256", "")
		return nil
	}
	if rule != nil {
		rule.sha256, rule.Pos = digest, n.Pos()
	}
	return rule
}

// projectRoot is the project's directory in policy tests, which have none.
const projectRoot = "/project/"

// execRequest reads a command of a policy test.
func (r *reader) execRequest(request, value *yamldoc.Node, c *Claim) {
	x := &Exec{Argv: r.words(value), Dir: "."}
	c.Exec = x
	if n := request.Get("dir"); n != nil {
		x.Dir = r.path(n)
	}
	if n := request.Get("program"); n != nil && isAnyAbs(n.Text()) {
		x.Program, _ = r.problems.Text(n)
	} else if n != nil {
		x.ProgramInProject = r.path(n)
		x.Program = projectRoot + x.ProgramInProject
	}
	if n := request.Get("sha256"); n != nil {
		x.SHA256 = r.digest(n)
	}
	if n := request.Get("daemons"); n != nil {
		x.Daemons = r.commands(n)
	}
	r.beside(request, []string{"set", "pass"}, c)
}

// commands reads a list of commands.
func (r *reader) commands(n *yamldoc.Node) [][]string {
	if n.Kind() != yamldoc.KindList {
		r.problems.Expected(n, "a list of commands")
	}
	var all [][]string
	for _, item := range n.Items() {
		all = append(all, r.words(item))
	}
	return all
}

// words reads the words of a command as a rule has them.
func (r *reader) words(n *yamldoc.Node) []string {
	if n.Kind() == yamldoc.KindList {
		return r.texts(n)
	}
	if n.Kind() != yamldoc.KindString {
		r.problems.Expected(n, "a command: a string, or a list of words")
	}
	if hasQuote(n.Text()) {
		r.problems.Wrong(n, fmt.Sprintf("command %q has a quote in it, and commands are split at blanks alone", n.Text()), quoteHint)
	}
	return strings.Fields(n.Text())
}

// isAnyAbs reports whether a path is absolute on any system.
func isAnyAbs(p string) bool {
	drive := len(p) > 2 && p[1] == ':' && (p[2] == '/' || p[2] == '\\')
	return path.IsAbs(p) || drive || strings.HasPrefix(p, `\\`)
}
