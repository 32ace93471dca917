package actions

import (
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// maxCell bounds a text in a summary, in characters.
const maxCell = 500

// code is text from anywhere as Markdown that shows just this text, on one
// line, in a heading, a list or a table. In <code>, GitHub makes no mentions,
// references and emoji of it. What could mean something to Markdown stands
// there as a character reference, which never does (CommonMark 0.31, 2.5). A
// code span in backticks would do as well, but not in a table with a pipe and a
// backslash in the text.
func code(text string) string {
	text = termtext.Line(text, maxCell)
	if text == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("<code>")
	last := ' '
	for _, r := range text {
		switch {
		case r == '@':
			// cmark-gfm looks for mail addresses once references are resolved.
			b.WriteString("&#64;<!-- -->")
		case r > '~' || isPlain(r) && !(r == '.' && (last == 'w' || last == 'W')):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
		last = r
	}
	b.WriteString("</code>")
	return b.String()
}

// isPlain tells whether an ASCII character means nothing to Markdown; a dot
// does, in "www.".
func isPlain(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(" /,=;%?-.", r)
}

// row is one of a table.
func row(cells ...string) string {
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// fenced is a block of text as it is. The fence is longer than any run of
// backticks in it.
func fenced(language, text string) string {
	text = strings.Trim(termtext.Clean(text), "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + text + "\n" + fence + "\n"
}

// page gathers blocks of Markdown up to a size in bytes.
type page struct {
	b    strings.Builder
	room int
	cut  bool
}

const cutNote = "\n*What is left out here would be more than GitHub shows of one step.*\n"

// add takes a block whole or, once one was too large, not at all.
func (p *page) add(block string) {
	if p.cut || p.b.Len()+len(block)+len(cutNote) > p.room {
		p.cut = true
		return
	}
	p.b.WriteString(block)
}

// text is empty where not even the note has room.
func (p *page) text() string {
	if p.cut && p.b.Len()+len(cutNote) <= p.room {
		return p.b.String() + cutNote
	}
	return p.b.String()
}
