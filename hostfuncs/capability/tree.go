package capability

import (
	"errors"
	"path"
	"strings"
)

// deep is the pattern for any number of words or segments, also none.
const deep = "**"

// tree finds the rules whose words match a list of words: paths by segment,
// commands by argument. Literal words are found by look-up, so time follows
// the number of words and of patterns at one place, not of rules.
type tree struct {
	literal  map[string]*tree
	patterns []edge
	deep     *tree
	end      *Rule
}

type edge struct {
	pattern string
	to      *tree
}

// matcher tells whether a pattern with a * in it matches a word.
type matcher func(pattern, word string) bool

func (t *tree) empty() bool {
	return t.literal == nil && t.patterns == nil && t.deep == nil && t.end == nil
}

func (t *tree) insert(words []string, r *Rule) {
	for _, word := range words {
		t = t.child(word)
	}
	t.end = first(t.end, r)
}

func (t *tree) child(word string) *tree {
	switch {
	case word == deep:
		if t.deep == nil {
			t.deep = new(tree)
		}
		return t.deep
	case strings.Contains(word, "*"):
		for _, e := range t.patterns {
			if e.pattern == word {
				return e.to
			}
		}
		t.patterns = append(t.patterns, edge{word, new(tree)})
		return t.patterns[len(t.patterns)-1].to
	}
	if t.literal == nil {
		t.literal = make(map[string]*tree)
	}
	if t.literal[word] == nil {
		t.literal[word] = new(tree)
	}
	return t.literal[word]
}

// find is the first rule that matches all words, nil when none does.
func (t *tree) find(words []string, match matcher) *Rule {
	if t == nil {
		return nil
	}
	var found *Rule
	if t.deep != nil {
		if t.deep.literal == nil && t.deep.patterns == nil {
			found = t.deep.end
		} else {
			for i := range len(words) + 1 {
				found = first(found, t.deep.find(words[i:], match))
			}
		}
	}
	if len(words) == 0 {
		return first(found, t.end)
	}
	found = first(found, t.literal[words[0]].find(words[1:], match))
	for _, e := range t.patterns {
		if match(e.pattern, words[0]) {
			found = first(found, e.to.find(words[1:], match))
		}
	}
	return found
}

// add puts in a pattern of paths: segments, * within one, ** for any number.
func (t *tree) add(r *Rule) error {
	clean := path.Clean(r.Text)
	switch {
	case r.Text == "":
		return errors.New("is empty")
	case path.IsAbs(clean):
		return errors.New("begins with /: paths are relative to the project folder")
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return errors.New("leaves the project folder")
	case strings.Count(clean, deep) > maxDeep:
		return errors.New("has more than one or two **")
	}
	t.insert(segments(clean), r)
	return nil
}

// maxDeep keeps one pattern from taking time that grows faster than a square.
const maxDeep = 2

func (t *tree) findPath(p string) *Rule { return t.find(segments(p), glob) }

func segments(p string) []string { return strings.Split(p, "/") }

// glob matches a pattern in which * stands for any characters, also none.
func glob(pattern, s string) bool {
	head, rest, ok := strings.Cut(pattern, "*")
	if !ok {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		part, more, ok := strings.Cut(rest, "*")
		if !ok {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], more
	}
}
