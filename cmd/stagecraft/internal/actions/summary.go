package actions

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// maxSummary is the size limit of a step's summary; the runner shows nothing of a
// larger one.
const maxSummary = 1 << 20

// Run is the content of a summary. Text may be untrusted.
type Run struct {
	Title    string
	Command  string
	Provider string
	Outcome  string
	Calls    []Call // in order
	Denials  []Denial
	Allow    string // policy lines that would allow the denied calls
	// AllowFile is the file for those lines.
	AllowFile string
	// Head is the hash of the audit log's last record.
	Head string
}

// Call is one call of the provider.
type Call struct{ Operation, Asked, Decision, Rule string }

// Denial is a denied call and the reason.
type Denial struct{ Operation, Asked, Reason string }

// Summary appends a run to the step's summary, the file that GITHUB_STEP_SUMMARY
// names, if it is set. The end is left out if the file would exceed 1 MiB. If the file
// cannot be written, it warns.
func (w *Workflow) Summary(r Run) {
	if w.summary == "" {
		return
	}
	if err := appendSummary(w.summary, r); err != nil {
		w.Warning(Annotation{Title: "no step summary", Message: fmt.Sprintf("cannot write the summary of this step: %v", err)})
	}
}

func appendSummary(path string, r Run) (err error) {
	// Earlier processes may have replaced it with a link or a pipe.
	f, err := safefile.OpenUnlinked(path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	// A single write does not split the text of other processes.
	_, err = f.WriteString(r.markdown(maxSummary - int(min(info.Size(), maxSummary))))
	return err
}

// markdown is the run in at most room bytes. It begins with an empty line, because the
// text before it may not end with one.
func (r Run) markdown(room int) string {
	p := &page{room: room}
	p.add("\n## " + code(r.Title) + "\n\n" + r.facts() + "\n")
	if len(r.Denials) > 0 {
		p.add("### Denied\n\n")
		for _, d := range r.Denials {
			p.add("- " + code(d.Operation) + " " + code(d.Asked) + ": " + code(d.Reason) + "\n")
		}
		p.add("\n")
	}
	if r.Allow != "" {
		p.add("To allow it, add to " + code(r.AllowFile) + ":\n\n" + fenced("yaml", r.Allow) + "\n")
	}
	if len(r.Calls) > 0 {
		p.add("### Calls\n\n" + row("operation", "asked", "decision", "rule") + row("---", "---", "---", "---"))
		for _, c := range r.Calls {
			p.add(row(code(c.Operation), code(c.Asked), code(c.Decision), code(c.Rule)))
		}
	}
	return p.text()
}

func (r Run) facts() string {
	text := ""
	for _, fact := range [][2]string{
		{"command", r.Command}, {"provider", r.Provider}, {"outcome", r.Outcome}, {"audit log's head", r.Head},
	} {
		if fact[1] != "" {
			text += "- " + fact[0] + ": " + code(fact[1]) + "\n"
		}
	}
	return text
}

// maxCell bounds a text in a summary, in characters.
const maxCell = 500

// code escapes text for a heading, a list or a table in Markdown, on one line. In
// <code> GitHub does not link mentions and references or replace emoji. Special
// characters become character references, which Markdown does not interpret
// (CommonMark 0.31, 2.5). Backticks do not work in a table for text with a pipe and a
// backslash.
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
			// cmark-gfm links mail addresses after it resolves references.
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

// isPlain reports whether Markdown never interprets an ASCII character, except for the
// dot in "www.".
func isPlain(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(" /,=;%?-.", r)
}

// row is a row of a table.
func row(cells ...string) string {
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// fenced is a code block. Its fence is longer than any run of backticks in the text.
func fenced(language, text string) string {
	text = strings.Trim(termtext.Clean(text), "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + text + "\n" + fence + "\n"
}

// page collects blocks of Markdown up to a size in bytes.
type page struct {
	b    strings.Builder
	room int
	cut  bool
}

const cutNote = "\n*The rest is left out: it exceeds the size that GitHub shows for one step.*\n"

// add appends a block. After the first that is too large, it appends nothing.
func (p *page) add(block string) {
	if p.cut || p.b.Len()+len(block)+len(cutNote) > p.room {
		p.cut = true
		return
	}
	p.b.WriteString(block)
}

// text omits the note if it does not fit.
func (p *page) text() string {
	if p.cut && p.b.Len()+len(cutNote) <= p.room {
		return p.b.String() + cutNote
	}
	return p.b.String()
}
