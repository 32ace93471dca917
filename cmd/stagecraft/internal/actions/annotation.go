package actions

import (
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// maxMessage is the number of characters at which the runner cuts a message. It keeps
// the first 10 errors and the first 10 warnings of a step.
const maxMessage = 4096

// maxTitle bounds a title and the name of a file, in characters.
const maxTitle = 1024

// Annotation is a message at a location in the repository. Only Message is required.
// Text may be untrusted.
type Annotation struct {
	File string // absolute, or relative to the directory of the Workflow
	Line int    // from 1, 0 for none
	// Column, from 1, is used only with a Line, and without a later EndLine.
	Column  int
	EndLine int
	Title   string
	Message string
}

// Error shows an error at a place in the repository.
func (w *Workflow) Error(a Annotation) { w.annotate("error", a) }

// Warning shows a warning at a place in the repository.
func (w *Workflow) Warning(a Annotation) { w.annotate("warning", a) }

func (w *Workflow) annotate(name string, a Annotation) {
	line := "::" + name + w.properties(a) + "::" + escapeData(message(a.Message))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stops > 0 {
		w.pending = append(w.pending, line)
		return
	}
	w.command(line)
}

// properties follow the command's name after a space; the runner skips empty ones.
func (w *Workflow) properties(a Annotation) string {
	var b strings.Builder
	add := func(name, value string) {
		if value != "" {
			b.WriteString("," + name + "=" + escapeProperty(value))
		}
	}
	add("file", termtext.Line(w.relative(a.File), maxTitle))
	add("title", termtext.Line(a.Title, maxTitle))
	if a.Line > 0 {
		add("line", strconv.Itoa(a.Line))
		if a.EndLine > a.Line {
			add("endLine", strconv.Itoa(a.EndLine))
		} else if a.Column > 0 {
			add("col", strconv.Itoa(a.Column))
		}
	}
	return strings.Replace(b.String(), ",", " ", 1)
}

// relative is a file's path in the repository, with slashes. It is absolute for files
// outside, and if the workspace is unknown.
func (w *Workflow) relative(file string) string {
	if file == "" {
		return ""
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(w.dir, file)
	}
	if rel, err := filepath.Rel(w.workspace, file); err == nil && filepath.IsLocal(rel) {
		file = rel
	}
	return filepath.ToSlash(file)
}

func message(text string) string {
	text = strings.TrimSpace(termtext.Clean(text))
	if utf8.RuneCountInString(text) > maxMessage {
		text = string([]rune(text)[:maxMessage-1]) + "…"
	}
	// The runner's search for "::" respects combining characters: it would not find
	// "::" with an accent on the second colon.
	if first, _ := utf8.DecodeRuneInString(text); unicode.Is(unicode.M, first) {
		text = " " + text
	}
	return text
}

// The runner decodes the percent sign last.
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func escapeData(s string) string     { return dataEscapes.Replace(s) }
func escapeProperty(s string) string { return propertyEscapes.Replace(s) }
