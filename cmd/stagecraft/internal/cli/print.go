package cli

// The rules for messages:
//
//   - Results go to standard output, everything else to standard error.
//   - An error is one line, "error: what is wrong", and what to do about it
//     stands below it, indented. Each problem of the configuration begins with
//     file:line:column, so that a terminal or editor can jump there.
//   - Nothing that a provider, a child or a file said is printed without being
//     cleaned.
//   - Colour marks the word "error" or "warning" alone, on a terminal, and
//     never with NO_COLOR.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/actions"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// printer writes all that stagecraft itself has to say.
type printer struct {
	stdout, stderr io.Writer
	// json's writers mask nothing by themselves: in JSON that is done by value.
	jsonOut, jsonErr io.Writer
	mask             *redact.Set
	color            bool
	json             bool // errors as JSON too
	workflow         *actions.Workflow
	help             string // which help has more on the command line
}

// newPrinter makes a printer for the process's streams; workflow is nil outside
// of GitHub Actions.
func newPrinter(s System, workflow *actions.Workflow, secrets *redact.Set) *printer {
	p := &printer{jsonOut: s.Stdout, jsonErr: s.Stderr, mask: secrets, color: wantsColor(s.Stderr, s.Environ), workflow: workflow}
	if workflow != nil {
		p.jsonOut, p.jsonErr = defanging{s.Stdout}, defanging{workflow}
	}
	p.stdout, p.stderr = masking{p.jsonOut, secrets}, masking{p.jsonErr, secrets}
	return p
}

// masking masks what we say, a whole text in each Write.
type masking struct {
	io.Writer
	secrets *redact.Set
}

func (m masking) Write(p []byte) (int, error) {
	if _, err := io.WriteString(m.Writer, m.secrets.Text(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// wantsColor follows https://no-color.org.
func wantsColor(f *os.File, environ []string) bool {
	off := slices.ContainsFunc(environ, func(entry string) bool {
		return entry == "TERM=dumb" || (strings.HasPrefix(entry, "NO_COLOR=") && entry != "NO_COLOR=")
	})
	return !off && term.IsTerminal(int(f.Fd()))
}

func (p *printer) result(text string) error {
	_, err := io.WriteString(p.stdout, text)
	return err
}

func (p *printer) resultJSON(v any) error { return p.writeJSON(p.jsonOut, v, "  ") }

func (p *printer) writeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	if err := writeJSON(&b, v, indent); err != nil {
		return err
	}
	_, err := w.Write(p.mask.JSON(b.Bytes()))
	return err
}

// writeJSON writes one JSON document. A character that a terminal would obey,
// or show in another order, is written as its number, which is the same string
// to whoever reads JSON.
func writeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range b.String() {
		if r == '\n' || unicode.IsPrint(r) {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	_, err := w.Write(actions.DefangJSON([]byte(out.String())))
	return err
}

func (p *printer) warning(text string) { p.message("warning", text, "") }

// failure shows an error, whatever it is, in the form that was asked for.
func (p *printer) failure(err error) {
	f := failureOf(err)
	if f.Code == "usage" && f.Hint == "" {
		f.Hint = p.help
	}
	p.show(f)
}

func (p *printer) show(f failure) {
	f = f.cleaned()
	if p.workflow != nil {
		defer annotate(p.workflow, f)
	}
	if p.json {
		// Where standard error can't be written to, there is no place to say so.
		_ = p.writeJSON(p.jsonErr, map[string]failure{"error": f}, "")
		return
	}
	// The error comes last, so that it is what a terminal shows.
	if f.Output != "" && !f.outputShown {
		fmt.Fprintf(p.stderr, "what it printed last:\n%s", indent(f.Output))
	}
	if f.Source != "" {
		fmt.Fprintf(p.stderr, "failed at:\n%s", indent(f.Source))
	}
	for i, problem := range f.Problems {
		if i == maxProblems {
			p.message("error", fmt.Sprintf("%d more problems", len(f.Problems)-i), "")
			break
		}
		p.message("error", problem.line(), problem.Hint)
	}
	if len(f.Problems) == 0 {
		message := f.Message
		if f.Reason != "" {
			message += " (" + f.Reason + ")"
		}
		p.message("error", message, f.Hint)
	}
	for _, d := range f.Denials {
		p.message("denied", d.Asked, d.Reason)
	}
	if f.Allow != "" {
		fmt.Fprintf(p.stderr, "to allow what no rule allows, add to %s:\n%s", policyFile, indent(f.Allow))
	}
}

// maxProblems bounds what one file can print.
const maxProblems = 50

func (p *printer) message(kind, text, hint string) {
	if p.color {
		kind = "\x1b[1;31m" + kind + "\x1b[0m"
	}
	text = strings.ReplaceAll(strings.TrimSpace(termtext.Clean(text)), "\n", "\n  ")
	fmt.Fprintf(p.stderr, "%s: %s\n%s", kind, text, indent(termtext.Clean(hint)))
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		b.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}
