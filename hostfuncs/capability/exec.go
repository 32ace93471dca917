package capability

import (
	"errors"
	"path"
	"strings"
)

// execIndex finds rules for commands. Their first word says what kind of
// program they mean: a name that is searched in PATH, a file anywhere, or a
// file of the project's.
type execIndex struct {
	byName, byFile, byProjectFile tree
}

// add takes the words of a rule.
func (x *execIndex) add(r *Rule) error {
	if len(r.words) == 0 || r.words[0] == "" {
		return errors.New("names no program")
	}
	for i, word := range r.words {
		if word == deep && i != len(r.words)-1 {
			return errors.New("has ** before its end: only a last ** stands for any number of words")
		}
		if word != deep && strings.Contains(word, deep) {
			return errors.New("has ** within a word: * is enough there")
		}
	}
	words := append([]string(nil), r.words...)
	switch name := words[0]; {
	case name == deep && len(words) == 1, !strings.Contains(name, "/"):
		x.byName.insert(words, r)
	case path.IsAbs(name):
		words[0] = path.Clean(name)
		x.byFile.insert(words, r)
	default:
		if words[0] = path.Clean(name); strings.HasPrefix(words[0], "../") {
			return errors.New("leaves the project folder")
		}
		x.byProjectFile.insert(words, r)
	}
	return nil
}

// findAllow is strict: a bare name means what PATH has, never a path that ends
// in it, and a word that begins with - is only matched by one that does too.
func (x *execIndex) findAllow(e *Exec) *Rule {
	var found *Rule
	if !strings.ContainsAny(e.Argv[0], `/\`) {
		found = x.byName.find(e.Argv, strictWord)
	}
	return first(found, x.findFiles(e, strictWord))
}

// findDeny is generous: a name is the program's by whatever way it was called.
func (x *execIndex) findDeny(e *Exec) *Rule {
	found := x.findFiles(e, glob)
	if x.byName.empty() {
		return found
	}
	for _, name := range [...]string{e.Argv[0], path.Base(e.Argv[0]), path.Base(e.Program)} {
		found = first(found, x.byName.find(renamed(e.Argv, name), glob))
	}
	return found
}

func (x *execIndex) findFiles(e *Exec, match matcher) *Rule {
	var found *Rule
	if e.Program != "" {
		found = x.byFile.findProgram(e, e.Program, match)
	}
	if e.ProgramInProject != "" {
		found = first(found, x.byProjectFile.findProgram(e, e.ProgramInProject, match))
	}
	return found
}

// findProgram matches the first word as a path, the others as words.
func (t *tree) findProgram(e *Exec, file string, match matcher) *Rule {
	found := t.literal[file].find(e.Argv[1:], match)
	for _, edge := range t.patterns {
		if globPath(edge.pattern, file) {
			found = first(found, edge.to.find(e.Argv[1:], match))
		}
	}
	return found
}

func renamed(argv []string, name string) []string {
	if argv[0] == name {
		return argv
	}
	return append([]string{name}, argv[1:]...)
}

// strictWord keeps options out of where a policy's author saw a plain word.
func strictWord(pattern, word string) bool {
	if strings.HasPrefix(word, "-") && !strings.HasPrefix(pattern, "-") {
		return false
	}
	return glob(pattern, word)
}

// globPath matches segment by segment, so that no * crosses a slash.
func globPath(pattern, p string) bool {
	patterns, parts := segments(pattern), segments(p)
	if len(patterns) != len(parts) {
		return false
	}
	for i := range patterns {
		if !glob(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}
