package yamldoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Pos is a position in a file. Line and Column begin at 1; 0 is unknown.
type Pos struct {
	File         string
	Line, Column int
}

// String returns file:line:column, without what is unknown.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// Compare orders positions as they are in the file.
func (p Pos) Compare(q Pos) int {
	if c := strings.Compare(p.File, q.File); c != 0 {
		return c
	}
	if p.Line != q.Line {
		return p.Line - q.Line
	}
	return p.Column - q.Column
}

// Problem is one mistake in a document.
type Problem struct {
	Pos Pos
	// Field is the path of the value, such as backend.provider; it may be empty.
	Field   string
	Message string
	// Hint says what to do.
	Hint string
}

// Error returns the problem in one line, without its hint.
func (p Problem) Error() string {
	said := p.Message
	if p.Field != "" {
		said = p.Field + ": " + said
	}
	if where := p.Pos.String(); where != "" {
		said = where + ": " + said
	}
	return said
}

// Problems are all mistakes in a document.
type Problems []Problem

// Error returns one line per problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Add adds a problem.
func (ps *Problems) Add(pos Pos, field, message, hint string) {
	*ps = append(*ps, Problem{pos, field, message, hint})
}

// Wrong adds a problem of a value.
func (ps *Problems) Wrong(n *Node, message, hint string) { ps.Add(n.Pos(), n.Field(), message, hint) }

// Expected adds the problem that a value is of another kind than expected.
func (ps *Problems) Expected(n *Node, want string) {
	ps.Wrong(n, fmt.Sprintf("is %s, expected %s", n.Kind(), want), "")
}

// KnownKeys reports whether a value is a mapping. It adds a problem if it is not, and
// one for each key that is not among these.
func (ps *Problems) KnownKeys(n *Node, known []string) bool {
	if n.Kind() != KindMap {
		ps.Expected(n, "a mapping")
		return false
	}
	for _, e := range n.Entries() {
		if !slices.Contains(known, e.Key) {
			*ps = append(*ps, UnknownKey(e, known))
		}
	}
	return true
}

// Text returns a value that is a string and not empty. It adds a problem, and returns
// false, if it is not.
func (ps *Problems) Text(n *Node) (string, bool) {
	switch {
	case n.Kind() != KindString:
		ps.Expected(n, "a string: put it in quotes")
	case n.Text() == "":
		ps.Wrong(n, "is empty", "")
	default:
		return n.Text(), true
	}
	return "", false
}

// Err returns all problems in the order of their positions, nil if there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return a.Pos.Compare(b.Pos) })
	return ps
}

// UnknownKey returns the problem of an unknown key.
func UnknownKey(e Entry, known []string) Problem {
	hint := "known here: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
	if near := Nearest(e.Key, known); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	return Problem{e.KeyPos, parentField(e.Value.Field(), e.Key), fmt.Sprintf("unknown key %q", e.Key), hint}
}

func parentField(field, key string) string {
	return strings.TrimSuffix(strings.TrimSuffix(field, under("", key)), ".")
}

// maxNear bounds the words that are compared, in bytes: the time is their product.
const maxNear = 100

// Nearest returns the known word that was probably meant: the one with the fewest
// changed letters, if they are few. It returns "" if none is near.
func Nearest(word string, known []string) string {
	best, bestDistance := "", max(2, len(word)/3)+1
	for _, k := range slices.Sorted(slices.Values(known)) {
		if max(len(word), len(k)) > maxNear {
			continue
		}
		if d := levenshtein.Distance(word, k, nil); d < bestDistance && d < min(len(k), len(word)) {
			best, bestDistance = k, d
		}
	}
	return best
}
