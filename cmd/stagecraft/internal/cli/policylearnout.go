package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// learning writes the policy of an observed run, and tells the user what is in it.
type learning struct {
	cmd      policyLearnCmd
	app      *app
	observed session.Learnt
	options  learn.Options
}

// finish writes the policy, even if the run failed: the error of the run is the one
// that counts. ctx must not end with the run.
func (l learning) finish(ctx context.Context, out outFile, run error) error {
	err := l.write(ctx, out)
	if is[*learn.WeakerError](err) {
		hint := "the files and ports of confined commands are not observed: learn with --allow"
		if l.cmd.Allow {
			hint = "the commands could not be observed: add to that file instead, with --out"
		}
		err = &hintedError{err, hint}
	}
	if run != nil && err != nil {
		l.app.printer.failure(err)
		return run
	}
	return errors.Join(run, err)
}

// hintedError is an error with a hint.
type hintedError struct {
	error
	hint string
}

// Hint says what to do about it.
func (e *hintedError) Hint() string { return e.hint }

// Unwrap returns the error without the hint.
func (e *hintedError) Unwrap() error { return e.error }

// write prints the policy, or adds it to the file of --out.
func (l learning) write(ctx context.Context, out outFile) error {
	if out.path == "" {
		learnt, err := learn.Policy(l.observed.Claims, l.observed.Used, l.options)
		l.warn(learnt)
		if err != nil {
			return err
		}
		return l.app.printer.result(learnt.Policy)
	}
	var learnt *learn.Learnt
	var now []byte
	slow := func(err error) { l.app.printer.warning(err.Error()) }
	err := session.ChangePolicy(ctx, slow, out.path, func(before []byte) ([]byte, error) {
		if now = before; before == nil && out.before != nil {
			return nil, errors.New("the file was removed during the run")
		}
		l.options.File, l.options.Into = out.path, before
		var err error
		if learnt, err = learn.Policy(l.observed.Claims, l.observed.Used, l.options); err != nil {
			return nil, err
		}
		return []byte(learnt.Policy), nil
	})
	if learnt != nil {
		l.warn(learnt)
	}
	if err != nil {
		err = fmt.Errorf("--out: %s: %w", out.path, err)
		if !is[*learn.WeakerError](err) {
			l.printUnwritten(out, learnt)
		}
		return err
	}
	if !bytes.Equal(now, out.before) {
		l.app.printer.warning(fmt.Sprintf("%s was changed by another process during this run; review the changes, which are kept\n%s",
			out.path, strings.Join(diffLines(out.before, now), "\n")))
	}
	l.printAdded(out, now == nil, learnt)
	return nil
}

// printUnwritten prints the rules that could not be written, so that the run need
// not be repeated. If the file is no longer a policy, these are the rules that would
// have been added to the file as it was before.
func (l learning) printUnwritten(out outFile, learnt *learn.Learnt) {
	if learnt == nil || len(learnt.Added) == 0 {
		l.options.File, l.options.Into = out.path, out.before
		// The error was shown already.
		learnt, _ = learn.Policy(l.observed.Claims, l.observed.Used, l.options)
	}
	if len(learnt.Added) > 0 {
		l.print("not written to "+out.path+":", addedLines(learnt.Added))
	}
}

// printAdded prints the new rules of the file.
func (l learning) printAdded(out outFile, created bool, learnt *learn.Learnt) {
	switch {
	case created:
		l.print(fmt.Sprintf("wrote %s: %s to read before you commit it", out.path, counted(len(learnt.Added), "line")), nil)
	case len(learnt.Added) == 0:
		l.print("nothing to add to "+out.path, nil)
	default:
		l.print("added to "+out.path+":", addedLines(learnt.Added))
	}
}

func (l learning) print(head string, lines []string) {
	// A failed write to standard error cannot be reported anywhere.
	_, _ = io.WriteString(l.app.printer.stderr, termtext.Clean(head)+"\n"+indent(termtext.Clean(strings.Join(lines, "\n"))))
}

// addedLines are the new rules, each with its provider and key.
func addedLines(added []learn.Added) []string {
	var lines []string
	for _, a := range added {
		line := "+ " + joined(": ", a.Provider, a.Key, a.Rule)
		if a.Remark != "" {
			line += " # " + a.Remark
		}
		lines = append(lines, line)
	}
	return lines
}

// diffLines are the lines that only one of two texts has, with "- " or "+ ".
func diffLines(before, after []byte) []string {
	var diff []string
	add := func(sign string, text, other []byte) {
		others := slices.Collect(strings.Lines(string(other)))
		for line := range strings.Lines(string(text)) {
			if !slices.Contains(others, line) {
				diff = append(diff, sign+strings.TrimRight(line, "\r\n"))
			}
		}
	}
	add("- ", before, after)
	add("+ ", after, before)
	return diff
}

// warn reports the part of the run that the policy does not allow.
func (l learning) warn(learnt *learn.Learnt) {
	p := l.app.printer
	if l.cmd.From != "" {
		p.warning("an audit log has no files, ports and sockets of commands: no rule for them is learnt from " + l.cmd.From +
			"; stagecraft policy learn dev --allow observes them")
	}
	for _, left := range learnt.Left {
		p.warning(fmt.Sprintf("not learnt: %s: %s", left.Claim, left.Reason))
	}
	for _, provider := range slices.Sorted(maps.Keys(l.observed.Used)) {
		used := l.observed.Used[provider]
		if used.Cut {
			p.warning("commands of provider " + provider + " used too many files and ports to record; the rest is not learnt")
		}
		for _, reason := range used.Missed {
			p.warning("some use of commands is not learnt: " + reason + l.allowHint(provider))
		}
	}
	warnOfWithheld(p, learnt.Withheld)
	warnOfOutside(p, learnt.Outside)
	for _, note := range learnt.Notes {
		p.warning(note)
	}
}

// allowHint says what to do if the project's policy confines the commands.
func (l learning) allowHint(provider string) string {
	if l.options.InForce == nil || l.cmd.Allow || len(capability.Confine([]*capability.Policy{l.options.InForce}, provider)) == 0 {
		return ""
	}
	return "; learn with --allow to observe them"
}

// warnOfWithheld lists sensitive files that are learnt only with --sensitive.
func warnOfWithheld(p *printer, withheld []learn.Withheld) {
	if len(withheld) == 0 {
		return
	}
	text := "sensitive files that were used are not learnt:"
	learnable := false
	for _, w := range withheld {
		access := "read"
		if w.Write {
			access = "written"
		}
		text += fmt.Sprintf("\n%s (%s): %s", yamldoc.Word(w.Path), access, w.Why)
		switch {
		case !w.Fixed:
			learnable = true
		case strings.HasPrefix(w.Path, "/"):
			text += ", outside the project, which no policy can allow"
		}
	}
	if learnable {
		text += "\nif the app needs one, learn it with --sensitive PATH"
	}
	p.warning(text)
}

func warnOfOutside(p *printer, outside []string) {
	if len(outside) == 0 {
		return
	}
	const most = 10
	paths := strings.Join(yamldoc.Words(outside[:min(len(outside), most)]), ", ")
	if more := len(outside) - most; more > 0 {
		paths += fmt.Sprintf(" and %d more", more)
	}
	p.warning("commands used files outside the project, which no policy can allow: " + paths +
		"; run under the policy to see whether the commands work without them")
}
