package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
)

// tell prints what is new in the file.
func (l learning) tell(out outFile, fresh bool, learnt *learn.Learnt) {
	switch {
	case fresh:
		l.say(fmt.Sprintf("wrote %s: %s to read before you commit it", out.path, lines(len(learnt.Added))), nil)
	case len(learnt.Added) == 0:
		l.say("nothing was added to "+out.path, nil)
	default:
		l.say("added to "+out.path+":", added(learnt.Added))
	}
}

func lines(n int) string {
	if n == 1 {
		return "1 line"
	}
	return fmt.Sprintf("%d lines", n)
}

func (l learning) say(head string, below []string) {
	// Where standard error can't be written to, there is no place to say so.
	_, _ = io.WriteString(l.app.printer.stderr, termtext.Clean(head)+"\n"+indent(termtext.Clean(strings.Join(below, "\n"))))
}

// added are the lines as they are read beside the file.
func added(all []learn.Added) []string {
	var said []string
	for _, add := range all {
		line := "+ " + add.Provider + ": "
		if add.Key != "" {
			line += add.Key + ": "
		}
		if line += add.Rule; add.Remark != "" {
			line += " # " + add.Remark
		}
		said = append(said, line)
	}
	return said
}

// changed are the lines that one text has and another has not, either way.
func changed(before, after []byte) []string {
	var said []string
	list := func(text []byte) []string { return slices.Collect(strings.Lines(string(text))) }
	of := func(sign string, list, other []string) {
		for _, line := range list {
			if !slices.Contains(other, line) {
				said = append(said, sign+strings.TrimRight(line, "\r\n"))
			}
		}
	}
	of("- ", list(before), list(after))
	of("+ ", list(after), list(before))
	return said
}

// warn tells what of the things that were done the policy doesn't say.
func (l learning) warn(learnt *learn.Learnt) {
	p := l.app.printer
	if l.cmd.From != "" {
		p.warning("a log tells which commands ran, and not which files, ports and sockets they used: no rule for those is learnt from " + l.cmd.From +
			"; stagecraft policy learn dev --allow watches them")
	}
	for _, left := range learnt.Left {
		p.warning(fmt.Sprintf("not learnt: %s: %s", left.Claim, left.Reason))
	}
	for _, provider := range slices.Sorted(maps.Keys(l.did.Used)) {
		if l.did.Used[provider].Cut {
			p.warning("commands of provider " + provider + " used more files and ports than are kept: the rest is not learnt")
		}
		for _, reason := range l.did.Used[provider].Missed {
			p.warning("not all is learnt of what commands use: " + reason + l.hint(provider))
		}
	}
	warnOfWithheld(p, learnt.Withheld)
	warnOfOutside(p, learnt.Outside)
	for _, note := range learnt.Notes {
		p.warning(note)
	}
}

// hint says what to do where the project's policy confines the commands.
func (l learning) hint(provider string) string {
	if l.options.InForce == nil || l.cmd.Allow || len(capability.Confine([]*capability.Policy{l.options.InForce}, provider)) == 0 {
		return ""
	}
	return "; learn with --allow to have it watched"
}

// warnOfWithheld tells what was used, and is not learnt without the user's word.
func warnOfWithheld(p *printer, withheld []learn.Withheld) {
	if len(withheld) == 0 {
		return
	}
	said := []string{"what was used and is sensitive is not learnt:"}
	named := false
	for _, w := range withheld {
		how := "read"
		if w.Write {
			how = "written"
		}
		line := fmt.Sprintf("%s (%s): %s", yamldoc.Word(w.Path), how, w.Why)
		switch {
		case !w.Fixed:
			named = true
		case strings.HasPrefix(w.Path, "/"):
			line += ", outside of the project, which no policy can allow"
		}
		said = append(said, line)
	}
	if named {
		said = append(said, "what the app should have for good, name with --sensitive PATH")
	}
	p.warning(strings.Join(said, "\n"))
}

func warnOfOutside(p *printer, outside []string) {
	if len(outside) == 0 {
		return
	}
	const most = 10
	said := strings.Join(yamldoc.Words(outside[:min(len(outside), most)]), ", ")
	if more := len(outside) - most; more > 0 {
		said += fmt.Sprintf(" and %d more", more)
	}
	p.warning("commands used what is outside of the project, and no policy can allow it: " + said +
		"; a run under the policy shows whether they work without")
}
