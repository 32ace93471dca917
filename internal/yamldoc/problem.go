package yamldoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Pos is a place in a file. Line and Column begin at 1; 0 is unknown.
type Pos struct {
	File         string
	Line, Column int
}

// String is file:line:column, as editors and terminals know it; what is
// unknown is left out.
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

// Compare orders positions as they are read.
func (p Pos) Compare(q Pos) int {
	if c := strings.Compare(p.File, q.File); c != 0 {
		return c
	}
	if p.Line != q.Line {
		return p.Line - q.Line
	}
	return p.Column - q.Column
}

// Problem is one thing that is wrong in a document.
type Problem struct {
	Pos Pos
	// Field is the way to the value, such as backend.provider; it may be
	// empty.
	Field   string
	Message string
	// Hint says what to do.
	Hint string
}

// Error is the problem in one line, without its hint.
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

// Problems are all that is wrong in a document.
type Problems []Problem

// Error has one line a problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Add notes one more problem.
func (ps *Problems) Add(pos Pos, field, message, hint string) {
	*ps = append(*ps, Problem{pos, field, message, hint})
}

// Err is nil where there is no problem, else all of them in the order of their
// positions.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return a.Pos.Compare(b.Pos) })
	return ps
}

// UnknownKey is the problem of a key that isn't one of those known.
func UnknownKey(e Entry, known []string) Problem {
	hint := "known here: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
	if near := abi.Nearest(e.Key, known); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	return Problem{e.KeyPos, parentField(e.Value.Field(), e.Key), fmt.Sprintf("unknown key %q", e.Key), hint}
}

func parentField(field, key string) string {
	return strings.TrimSuffix(strings.TrimSuffix(field, under("", key)), ".")
}
