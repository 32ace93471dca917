package cli

// The rules for messages:
//
//   - Results go to standard output, everything else to standard error.
//   - An error is one line, "error: what is wrong"; what to do about it follows,
//     indented. Each problem of the configuration begins with file:line:column, so
//     that a terminal or editor can jump there.
//   - Text from a provider, a child or a file is cleaned before it is printed.
//   - Colour marks the word "error" or "warning" only, on a terminal, and never
//     with NO_COLOR.

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
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/actions"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// printer writes the messages and results of stagecraft itself.
type printer struct {
	stdout, stderr io.Writer
	// jsonOut and jsonErr do not mask: JSON is masked by value.
	jsonOut, jsonErr io.Writer
	mask             *redact.Set
	color            bool
	json             bool // errors as JSON too
	workflow         *actions.Workflow
	help             string // the hint that names the command's help
}

// newPrinter returns a printer to the streams of s; workflow is nil outside
// GitHub Actions.
func newPrinter(s System, workflow *actions.Workflow, secrets *redact.Set) *printer {
	p := &printer{jsonOut: s.Stdout, jsonErr: s.Stderr, mask: secrets, color: wantsColor(s.Stderr, s.Environ), workflow: workflow}
	if workflow != nil {
		p.jsonOut, p.jsonErr = defanging{s.Stdout}, defanging{workflow}
	}
	p.stdout, p.stderr = masking{p.jsonOut, secrets}, masking{p.jsonErr, secrets}
	return p
}

// beside makes messages leave the lines of a session's programs whole.
func (p *printer) beside(s *session.Session) {
	if p.workflow == nil {
		p.jsonErr = s.Message(p.jsonErr)
		p.stderr = masking{p.jsonErr, p.mask}
	}
}

// masking masks secrets in a message. Each Write must have a whole message.
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

// resultAs prints v as JSON, or otherwise the text.
func (p *printer) resultAs(asJSON bool, v any, text string) error {
	if asJSON {
		return p.writeJSON(p.jsonOut, v, "  ")
	}
	return p.result(text)
}

func (p *printer) writeJSON(w io.Writer, v any, indent string) error {
	data, err := marshal(v, indent)
	if err == nil {
		_, err = w.Write(p.mask.JSON(data))
	}
	return err
}

// marshal encodes one JSON document. Characters that a terminal would interpret or
// reorder are escaped, which JSON parsers undo.
func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	var out []byte
	for _, r := range b.String() {
		if r == '\n' || unicode.IsPrint(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return actions.DefangJSON(out), nil
}

// writeFile writes the file that a flag names.
func writeFile(flag, file string, data []byte) error {
	if err := atomicfile.Write(file, data); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

// readFile reads a file that the user names on the command line.
func readFile(file string) ([]byte, error) {
	data, err := config.ReadFile(file)
	if err != nil {
		return nil, yamldoc.Problems{{Pos: yamldoc.Pos{File: file}, Message: "cannot read the file: " + err.Error()}}
	}
	return data, nil
}

func (p *printer) warning(text string) { p.message("warning", text, "") }

// failure shows an error, as text or JSON.
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
		// A failed write to standard error cannot be reported anywhere.
		_ = p.writeJSON(p.jsonErr, map[string]failure{"error": f}, "")
		return
	}
	// The error comes last, where a terminal shows it.
	if f.Output != "" && !f.outputShown {
		fmt.Fprintf(p.stderr, "last output:\n%s", indent(f.Output))
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
		fmt.Fprintf(p.stderr, "to allow it, add to %s:\n%s", policyFile, indent(f.Allow))
	}
}

// maxProblems bounds how many problems of one file are printed.
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
