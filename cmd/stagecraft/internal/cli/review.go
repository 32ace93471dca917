package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// shown is a text of somebody else's in a line, for people who decide by it.
func shown(text string, limit int) string { return termtext.Mark(termtext.Line(text, limit)) }

// seenText says what is known of a module that was not loaded.
func seenText(found session.Inspection) string {
	var b strings.Builder
	name := "a module"
	if found.Source.ID != "" {
		name = "provider " + found.Source.ID
	}
	fmt.Fprintf(&b, "%s, which nobody has trusted yet\n  %s\n  %d bytes, sha256 %s\n", name, shown(found.Source.Path, 1000), found.Size, found.Digest)
	fmt.Fprintf(&b, "  can call: %s\n", orNothing(strings.Join(found.Info.Operations(), ", ")))
	return b.String()
}

// reviewText says in plain words what someone is to agree to.
func reviewText(r session.Review) string {
	var b strings.Builder
	e := r.Entry
	fmt.Fprintf(&b, "provider %s %s\n  %s\n  sha256 %s\n", e.ID, shown(e.Version, 100), shown(e.Path, 1000), e.SHA256)
	if r.Before != nil {
		b.WriteString(changedText(*r.Before, e))
	}
	words := lock.Words(e.Asked)
	if len(words) == 0 {
		b.WriteString("it does not say what it needs: it may do what your policy allows, and nothing without one\n")
		return b.String()
	}
	b.WriteString("it asks to be allowed:\n" + indentedLines(words))
	return b.String()
}

// changedText says what trusting a module changes of an entry.
func changedText(before, after lock.Entry) string {
	var said string
	if diff := lock.Compare(before, after); !diff.Same() {
		said = "it is not the module that is trusted now:\n"
		if before.SHA256 == after.SHA256 {
			said = "it is the module that is trusted now, and its entry in " + lock.FileName + " says something else:\n"
		}
		said += indentedLines(diff.Lines())
	}
	granted := lock.Words(before.Granted)
	again := slices.DeleteFunc(lock.Words(before.Asked), func(line string) bool {
		return slices.Contains(granted, line) || !slices.Contains(lock.Words(after.Granted), line)
	})
	if len(again) > 0 {
		said += "it is granted what was taken out of granted:\n" + indentedLines(again)
	}
	return said
}

func indentedLines(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("  " + line + "\n")
	}
	return b.String()
}

// loadFlag is for commands that show a module, to whoever has not trusted it.
type loadFlag struct {
	Load bool `help:"Load a module that nobody has trusted yet, without being asked."`
}

// loader is how a session asks whether to load such a module.
func (f loadFlag) loader(ctx context.Context, a *app) func(session.Inspection) (bool, error) {
	if f.Load {
		return always
	}
	return a.loader(ctx)
}

func always(session.Inspection) (bool, error) { return true, nil }

// notLoaded tells why there is nothing of what a module says of itself, if there
// isn't: an error where the user wanted it.
func (f loadFlag) notLoaded(a *app, found session.Inspection, named string) error {
	switch {
	case found.Loaded:
		return nil
	case found.Refused != nil && f.Load:
		return found.Refused
	case found.Refused != nil:
		a.printer.warning("the module is not loaded, so that it does not say what it asks for: " + found.Refused.Error())
	default:
		a.printer.warning("nobody has trusted this module, so it is not loaded and does not say what it asks for: to load it, add --load to " + shown(named, 1000))
	}
	return nil
}

// writesLock refuses --locked where a command is there to write the lock file.
func (a *app) writesLock(command string) error {
	if a.grammar.Locked != nil && *a.grammar.Locked {
		return &usageError{"--locked: provider " + command + " writes " + lock.FileName, "leave --locked out"}
	}
	return nil
}
