package dockerfile

import (
	"cmp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Misread has the lines of a Dockerfile that some builders read differently than
// current BuildKit, the first of each kind, 0 for none. Those would build
// something else than was decided on.
type Misread struct {
	// Heredoc is a here-document, in any stage. Old builders read its lines as
	// instructions.
	Heredoc int
	// ArgAgain is an ARG before the first FROM that has no value, and had one in a
	// line before. Some forget that one.
	ArgAgain int
	// StageAgain is a second stage of one name. Some take the first.
	StageAgain int
	// StageCase names a stage in another case than its FROM does. To some it is
	// none, but an image.
	StageCase int
}

// or has the lines of m, and those of another where m has none.
func (m Misread) or(other Misread) Misread {
	return Misread{
		Heredoc: cmp.Or(m.Heredoc, other.Heredoc), ArgAgain: cmp.Or(m.ArgAgain, other.ArgAgain),
		StageAgain: cmp.Or(m.StageAgain, other.StageAgain), StageCase: cmp.Or(m.StageCase, other.StageCase),
	}
}

// firstHeredoc is the line of the first instruction that has a here-document, 0
// for none.
func firstHeredoc(instructions []*parser.Node) int {
	for _, n := range instructions {
		if len(n.Heredocs) > 0 {
			return n.StartLine
		}
	}
	return 0
}

// spelledStages are the names of all stages in the case that they were written in,
// empty for a stage without one: FROM image AS name.
func spelledStages(instructions []*parser.Node) (names []string) {
	for _, n := range instructions {
		if !strings.EqualFold(n.Value, "from") {
			continue
		}
		var words []string
		for word := n.Next; word != nil; word = word.Next {
			words = append(words, word.Value)
		}
		name := ""
		if len(words) == 3 {
			name = words[2]
		}
		names = append(names, name)
	}
	return names
}

// named notes where a stage is named in another case than its FROM does.
func (r *resolver) named(s *Stage, name string, line int) {
	if s.spelled != name {
		r.plan.Misread = r.plan.Misread.or(Misread{StageCase: line})
	}
}
