package capability

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// execIndex finds rules for commands. Their first word says what kind of
// program they mean: a name that is searched in PATH, a file anywhere, or a
// file of the project's.
type execIndex struct {
	byName, byFile, byProjectFile tree
}

// execAllow finds rules that allow. It is strict: a bare name means what PATH
// has, never a path that ends in it, and a word that begins with - is only
// matched by one that does too.
type execAllow struct {
	execIndex
	// pinned are rules for one file of a program alone, by its digest; pins
	// are the same rules, whatever the file.
	pinned map[string]*execIndex
	pins   execIndex
}

// execDeny finds rules that deny. It is generous: a name is the program's by
// whatever way it was called, and folded, since there are file systems on which
// CURL is curl.
type execDeny struct{ execIndex }

func (x *execAllow) add(r *Rule) error {
	if r.sha256 == "" {
		return x.insert(slices.Clone(r.words), r)
	}
	if x.pinned == nil {
		x.pinned = make(map[string]*execIndex)
	}
	if x.pinned[r.sha256] == nil {
		x.pinned[r.sha256] = new(execIndex)
	}
	if err := x.pins.insert(slices.Clone(r.words), r); err != nil {
		return err
	}
	return x.pinned[r.sha256].insert(slices.Clone(r.words), r)
}

func (x *execDeny) add(r *Rule) error {
	if r.sha256 != "" {
		return errors.New("denies one file of a program: with a byte more it would be another file")
	}
	words := slices.Clone(r.words)
	if len(words) > 0 {
		words[0] = fold(words[0])
	}
	return x.insert(words, r)
}

func (x *execIndex) insert(words []string, r *Rule) error {
	if err := checkWords(words); err != nil {
		return err
	}
	name := cleanFile(words[0])
	switch {
	case !strings.Contains(name, "/"):
		x.byName.insert(words, r)
	case isAbs(name):
		words[0] = name
		x.byFile.insert(words, r)
	case strings.HasPrefix(name, "../"):
		return errors.New("leaves the project directory: a program outside is named by its absolute path")
	default:
		words[0] = path.Clean(name)
		x.byProjectFile.insert(words, r)
	}
	return nil
}

func checkWords(words []string) error {
	if len(words) == 0 || words[0] == "" {
		return errors.New("names no program")
	}
	for i, word := range words {
		if word == deep && i != len(words)-1 {
			return errors.New("has ** before its end: only a last ** stands for any number of words")
		}
		if word != deep && strings.Contains(word, deep) {
			return errors.New("has ** within a word: * is enough there")
		}
	}
	return nil
}

func (x *execAllow) find(e *Exec) *Rule {
	found := x.findStrict(e)
	// What commands may write is a file of no one digest.
	if pinned := x.pinned[e.SHA256]; pinned != nil && !e.Writable {
		found = first(found, pinned.findStrict(e))
	}
	return found
}

// Pins tells whether the policy has a rule that would allow the command to a
// provider, were its program the file that the rule pins.
func (p *Policy) Pins(provider string, x *Exec) bool {
	return slices.ContainsFunc(p.of(provider), func(s *section) bool { return s.execAllow.pins.findStrict(x) != nil })
}

func (x *execIndex) findStrict(e *Exec) *Rule {
	var found *Rule
	if isBare(e.Argv[0]) {
		found = x.byName.find(e.Argv, strictWord)
	}
	file, inside := e.files()
	return first(found, x.findFiles(file, inside, e.Argv[1:], strictWord))
}

func (x *execDeny) find(e *Exec) *Rule {
	if x.byName.empty() && x.byFile.empty() && x.byProjectFile.empty() {
		return nil
	}
	file, inside := e.files()
	called := fold(e.Argv[0])
	file, inside = fold(file), fold(inside)
	rest := e.Argv[1:]
	found := x.findFiles(file, inside, rest, glob)
	if asked := cleanFile(called); !isBare(asked) {
		found = first(found, x.findFiles(asked, path.Clean(asked), rest, glob))
	}
	resolved := fold(cleanFile(e.Resolved))
	found = first(found, x.findFiles(resolved, "", rest, glob))
	if x.byName.deep != nil {
		found = first(found, x.byName.deep.end)
	}
	for _, name := range [...]string{called, base(called), base(file), base(inside), base(resolved)} {
		found = first(found, x.byName.findAs(name, rest, glob, glob))
		if bare := stem(name); bare != name {
			found = first(found, x.byName.findAs(bare, rest, glob, glob))
		}
	}
	return found
}

func (x *execIndex) findFiles(file, inside string, rest []string, match matcher) *Rule {
	var found *Rule
	if file != "" {
		found = x.byFile.findAs(file, rest, globPath, match)
	}
	if inside != "" {
		found = first(found, x.byProjectFile.findAs(inside, rest, globPath, match))
	}
	return found
}

// strictWord keeps options out of where a policy's author saw a plain word.
func strictWord(pattern, word string) bool {
	if strings.HasPrefix(word, "-") && !strings.HasPrefix(pattern, "-") {
		return false
	}
	return glob(pattern, word)
}
