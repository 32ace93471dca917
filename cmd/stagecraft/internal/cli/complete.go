package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// completeWord is the first argument by which a completion script asks for what may
// follow. The second is the word at the cursor after "=", since PowerShell passes no empty
// argument; then come the words before it.
//
// The answer is a line with the mode and, after a tab, the part of the word that comes
// before a path; then a line for each candidate, with its description after a tab.
const completeWord = "__complete"

// completionMode says what a shell completes besides the candidates.
type completionMode string

const (
	modeWords       completionMode = "words"
	modeFiles       completionMode = "files"
	modeDirectories completionMode = "directories"
)

// completion is the answer for one word.
type completion struct {
	mode completionMode
	// prefix is the part of the word before a path or value, such as --config=.
	prefix     string
	candidates []candidate
}

type candidate struct{ value, about string }

// complete answers a completion script. Nothing may disturb the user who types: problems
// of the project are no candidates, and nothing is printed on standard error.
func (a *app) complete(args []string) int {
	parser, err := a.newParser(nil)
	if err != nil || len(args) == 0 {
		return ExitFailed
	}
	at := locate(parser.Model.Node, args[1:])
	at.app = a
	current := strings.TrimPrefix(args[0], "=")
	c := at.complete(current)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\t%s\n", c.mode, c.prefix)
	for _, candidate := range c.candidates {
		if strings.HasPrefix(candidate.value, current) {
			fmt.Fprintf(&b, "%s\t%s\n", candidate.value, termtext.Line(candidate.about, 200))
		}
	}
	if err := a.printer.result(b.String()); err != nil {
		return ExitFailed
	}
	return ExitDone
}

// place is where a word is in a command line.
type place struct {
	app  *app
	node *kong.Node
	// flag has the word as its value; nil for none.
	flag *kong.Flag
	// arguments are those before the word, and onlyArguments says that no flag can follow.
	arguments     []string
	onlyArguments bool
	given         map[string]string // the flags before the word, with their values
}

// locate reads the words before the word to complete, as kong does.
func locate(top *kong.Node, words []string) *place {
	p := &place{node: top, given: make(map[string]string)}
	for _, word := range words {
		switch {
		case p.flag != nil:
			p.given[p.flag.Name], p.flag = word, nil
		case p.onlyArguments || !strings.HasPrefix(word, "-") || word == "-":
			p.argument(word)
		case word == "--":
			p.onlyArguments = true
		default:
			p.readFlag(word)
		}
	}
	return p
}

func (p *place) argument(word string) {
	if command := childOf(p.node, word); command != nil && len(p.arguments) == 0 && !p.onlyArguments {
		p.node = command
		return
	}
	if arg := p.positional(); arg != nil && arg.Passthrough {
		p.onlyArguments = true
	}
	p.arguments = append(p.arguments, word)
}

// positional is the argument that comes next, nil for none.
func (p *place) positional() *kong.Positional {
	all := p.node.Positional
	switch n := len(p.arguments); {
	case n < len(all):
		return all[n]
	case n > 0 && len(all) > 0 && all[len(all)-1].IsCumulative():
		return all[len(all)-1]
	}
	return nil
}

// readFlag reads a flag. Of several letters in a word, the last may have a value.
func (p *place) readFlag(word string) {
	name, value, hasValue := strings.Cut(word, "=")
	var flag *kong.Flag
	for _, f := range p.flags() {
		if name == "--"+f.Name || name == "--no-"+f.Name || !strings.HasPrefix(name, "--") && f.Short != 0 && strings.HasSuffix(name, string(f.Short)) {
			flag = f
		}
	}
	if flag == nil {
		return
	}
	p.given[flag.Name] = value
	if !hasValue && !flag.IsBool() {
		p.flag = flag
	}
}

// flags are those of the command and of all commands.
func (p *place) flags() []*kong.Flag {
	var all []*kong.Flag
	for _, group := range p.node.AllFlags(true) {
		all = append(all, group...)
	}
	return all
}

// complete returns what the word may become.
func (p *place) complete(word string) completion {
	name, value, hasValue := strings.Cut(word, "=")
	switch {
	case p.flag != nil:
		return p.values(p.flag.Value, "", word)
	case !p.onlyArguments && strings.HasPrefix(word, "--") && hasValue:
		if p.readFlag(name); p.flag == nil {
			return completion{mode: modeWords}
		}
		return p.values(p.flag.Value, name+"=", value)
	case !p.onlyArguments && strings.HasPrefix(word, "-"):
		return completion{modeWords, "", p.flagNames()}
	}
	if arg := p.positional(); arg != nil {
		return p.values(arg, "", word)
	}
	c := completion{mode: modeWords}
	if len(p.arguments) == 0 {
		for _, child := range p.node.Children {
			if !child.Hidden {
				c.candidates = append(c.candidates, candidate{child.Name, child.Help})
			}
		}
	}
	return c
}

// flagNames are the flags that may still be given.
func (p *place) flagNames() []candidate {
	var names []candidate
	for _, f := range p.flags() {
		if _, given := p.given[f.Name]; given && !f.IsCumulative() {
			continue
		}
		names = append(names, candidate{"--" + f.Name, f.Help})
		if f.Tag.Negatable != "" {
			names = append(names, candidate{"--no-" + f.Name, f.Help})
		}
	}
	return names
}
