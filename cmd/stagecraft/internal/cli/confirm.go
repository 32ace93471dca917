package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// safeLine is untrusted text on one line; a decision may depend on it.
func safeLine(text string, limit int) string { return termtext.Mark(termtext.Line(text, limit)) }

// untrustedText describes a module that was not loaded.
func untrustedText(found session.Inspection) string {
	var b strings.Builder
	name := "module"
	if found.Source.ID != "" {
		name = "provider " + found.Source.ID
	}
	fmt.Fprintf(&b, "%s is not trusted\n  %s\n  %d bytes, sha256 %s\n", name, safeLine(found.Source.Path, 1000), found.Size, found.Digest)
	fmt.Fprintf(&b, "  can call: %s\n", orNothing(strings.Join(found.Info.Operations(), ", ")))
	return b.String()
}

// reviewText describes what the user is asked to trust.
func reviewText(r session.Review) string {
	var b strings.Builder
	e := r.Entry
	fmt.Fprintf(&b, "provider %s %s\n  %s\n  sha256 %s\n", e.ID, safeLine(e.Version, 100), safeLine(e.Path, 1000), e.SHA256)
	if r.Before != nil {
		b.WriteString(changedText(*r.Before, e))
	}
	words := lock.Words(e.Asked)
	if len(words) == 0 {
		b.WriteString("it declares no capabilities: it gets those that your policy grants, and none without a policy\n")
		return b.String()
	}
	b.WriteString("it asks for:\n" + indent(strings.Join(words, "\n")))
	return b.String()
}

// changedText describes how trusting a module changes its entry.
func changedText(before, after lock.Entry) string {
	var text string
	if diff := lock.Compare(before, after); !diff.Same() {
		text = "it is not the module that is trusted now:\n"
		if before.SHA256 == after.SHA256 {
			text = "it is the module that is trusted now, but its entry in " + lock.FileName + " differs:\n"
		}
		text += indent(strings.Join(diff.Lines(), "\n"))
	}
	granted := lock.Words(before.Granted)
	again := slices.DeleteFunc(lock.Words(before.Asked), func(line string) bool {
		return slices.Contains(granted, line) || !slices.Contains(lock.Words(after.Granted), line)
	})
	if len(again) > 0 {
		text += "these rights were removed from granted, and are granted again:\n" + indent(strings.Join(again, "\n"))
	}
	return text
}

// confirmer returns how a session asks whether to trust a module, nil if nobody can
// be asked.
func (a *app) confirmer(ctx context.Context) func(session.Review) (bool, error) {
	if !a.atTerminal() {
		return nil
	}
	return func(r session.Review) (bool, error) {
		fmt.Fprint(a.printer.stderr, reviewText(r))
		return a.ask(ctx, "trust it, and record it in "+lock.FileName+"?")
	}
}

// loader returns how a session asks whether to load an untrusted module, nil if
// nobody can be asked.
func (a *app) loader(ctx context.Context) func(session.Inspection) (bool, error) {
	if !a.atTerminal() || a.locked() {
		return nil
	}
	return func(found session.Inspection) (bool, error) {
		fmt.Fprint(a.printer.stderr, untrustedText(found))
		return a.ask(ctx, "load it to see what it asks for? It gets no rights.")
	}
}

func (a *app) atTerminal() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(a.Stderr.Fd()))
}

// ask asks once. The default is no.
func (a *app) ask(ctx context.Context, question string) (bool, error) {
	answer, err := a.prompt(ctx, question+" [y/N] ")
	return answer == "y" || answer == "yes", err
}

// choose asks for one of n, by its number. The default is 1.
func (a *app) choose(ctx context.Context, question string, n int) (int, error) {
	for {
		answer, err := a.prompt(ctx, fmt.Sprintf("%s [1-%d, default 1] ", question, n))
		if err != nil || answer == "" {
			return 1, err
		}
		if number, err := strconv.Atoi(answer); err == nil && number >= 1 && number <= n {
			return number, nil
		}
	}
}

// prompt reads one line in lower case. Text typed before the question is dropped.
func (a *app) prompt(ctx context.Context, question string) (string, error) {
	dropTypedAhead(os.Stdin)
	fmt.Fprint(a.Stderr, question)
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	// A read of a terminal cannot be cancelled: after an interrupt the goroutine ends
	// with the process.
	go func() {
		text, err := readLine(os.Stdin)
		read <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.Stderr)
		return "", context.Cause(ctx)
	case answer := <-read:
		if answer.err != nil {
			fmt.Fprintln(a.Stderr)
		}
		return strings.ToLower(strings.TrimSpace(answer.text)), nil
	}
}

// readLine reads one line only: the rest of the input is for the command.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < 1000; {
		n, err := r.Read(b)
		if n == 1 && b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			return string(line), err
		}
	}
	return string(line), nil
}

// loadFlag is for commands that show a module, which need not be trusted.
type loadFlag struct {
	Load bool `help:"Load an untrusted module without asking."`
}

// loader returns how a session asks whether to load an untrusted module.
func (f loadFlag) loader(ctx context.Context, a *app) func(session.Inspection) (bool, error) {
	if f.Load {
		return always
	}
	return a.loader(ctx)
}

func always(session.Inspection) (bool, error) { return true, nil }

// notLoaded reports why a module did not describe itself; with --load that is an
// error.
func (f loadFlag) notLoaded(a *app, found session.Inspection, named string) error {
	switch {
	case found.Loaded:
		return nil
	case found.Refused != nil && f.Load:
		return found.Refused
	case found.Refused != nil:
		a.printer.warning("the module is not loaded, so what it asks for is unknown: " + found.Refused.Error())
	default:
		a.printer.warning("the module is not trusted, so it is not loaded and what it asks for is unknown; to load it, add --load to " + safeLine(named, 1000))
	}
	return nil
}
