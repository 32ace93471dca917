package capability

import (
	"slices"
	"strings"
)

// deep is the pattern for any number of words or segments, including none.
const deep = "**"

// tree finds the rules whose words match a list of words: paths by segment,
// commands by argument. Literal words are found by look-up, so time follows
// the number of words and of patterns at one place, not of rules.
type tree struct {
	literal  map[string]*tree
	patterns []edge
	known    map[string]*tree // patterns by their text, to insert more
	deep     *tree
	end      *Rule
}

type edge struct {
	pattern string
	to      *tree
}

// matcher reports whether a pattern with a * in it matches a word.
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

// insertDeep is insert for words of which a few may be **, at any place.
func (t *tree) insertDeep(words []string, r *Rule) error {
	// Two in a row mean the same as one.
	words = slices.CompactFunc(slices.Clone(words), func(a, b string) bool { return a == deep && b == deep })
	if count(words, deep) > maxDeep {
		return errManyDeep
	}
	t.insert(words, r)
	return nil
}

func count(words []string, wanted string) int {
	n := 0
	for _, word := range words {
		if word == wanted {
			n++
		}
	}
	return n
}

func (t *tree) child(word string) *tree {
	switch {
	case word == deep:
		if t.deep == nil {
			t.deep = new(tree)
		}
		return t.deep
	case strings.Contains(word, "*"):
		return t.patternChild(word)
	}
	return t.literalChild(word)
}

func (t *tree) patternChild(word string) *tree {
	if to := t.known[word]; to != nil {
		return to
	}
	if t.known == nil {
		t.known = make(map[string]*tree)
	}
	to := new(tree)
	t.known[word] = to
	t.patterns = append(t.patterns, edge{word, to})
	return to
}

func (t *tree) literalChild(word string) *tree {
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
	found := t.findDeep(words, match)
	if len(words) == 0 {
		return first(found, t.end)
	}
	return first(found, t.findAs(words[0], words[1:], match, match))
}

// findDeep is the first rule that goes on with ** here.
func (t *tree) findDeep(words []string, match matcher) *Rule {
	switch {
	case t.deep == nil:
		return nil
	case t.deep.literal == nil && t.deep.patterns == nil:
		return t.deep.end
	}
	var found *Rule
	for i := range len(words) + 1 {
		found = first(found, t.deep.find(words[i:], match))
	}
	return found
}

// findAs is the first rule that goes on with the name here, and then with the
// other words.
func (t *tree) findAs(name string, rest []string, matchName, match matcher) *Rule {
	found := t.literal[name].find(rest, match)
	for _, e := range t.patterns {
		if matchName(e.pattern, name) {
			found = first(found, e.to.find(rest, match))
		}
	}
	return found
}
