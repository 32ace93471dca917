package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/plaintext"
)

// section is a run on a page.
type section struct {
	ID, Run, Command     string
	Outcome, State       string
	When, At, Took, Half string
	Provider, SHA256     string
	Policies             []Policy
	Config               *File
	Versions             []fact
	Confinement, Error   string
	Changed              string // files that restrict runs
	Calls, Denied        int
	Rows                 []row
	More                 int
}

// row is a call on a page.
type row struct {
	ID              string // of its element; empty for none
	Number          int
	Operation       string
	Asked           []string // its words
	Decision, State string
	Result, Took    string
	From, Till      string
	Left, Width     float64 // of the bar, in percent
	Rule, At, Why   string
	Error           string
	Layers          []Layer
	Claim           string
	Bytes           string
}

func (r *run) section(id string) section {
	s := section{
		ID: id, Run: line(r.id, 40), Command: line(r.about.Command, 40), Outcome: r.outcome(), State: r.state(),
		When: r.from.UTC().Format(time.DateTime) + " UTC", At: r.from.UTC().Format(time.RFC3339), Took: short(r.span()), Half: short(r.span() / 2),
		Provider: line(r.about.Provider, 60), SHA256: line(r.about.SHA256, 64), Policies: r.policies(),
		Confinement: line(r.about.Confinement, 200), Calls: len(r.calls), Denied: r.denied, More: max(0, len(r.calls)-maxPageCalls),
	}
	if c := r.about.Config; c != nil {
		s.Config = &File{line(c.Name, 200), line(c.SHA256, 64)}
	}
	for _, what := range slices.Sorted(maps.Keys(r.about.Versions)) {
		s.Versions = append(s.Versions, fact{line(what, 40), line(r.about.Versions[what], 100)})
	}
	if r.end != nil && r.end.Error != nil {
		s.Error = r.end.Error.words()
	}
	s.Changed = r.changed()
	for i, c := range r.calls[:len(r.calls)-s.More] {
		s.Rows = append(s.Rows, r.row(c, callID(id, i)))
	}
	return s
}

// callID names a call's row; empty for one that has none.
func callID(section string, i int) string {
	if section == "" || i >= maxPageCalls {
		return ""
	}
	return fmt.Sprintf("%s-call-%d", section, i+1)
}

func (r *run) policies() []Policy {
	var policies []Policy
	for _, p := range r.about.Policies {
		policies = append(policies, Policy{line(p.Layer, 40), line(p.Name, 200), line(p.SHA256, 64)})
	}
	return policies
}

// state is the class of a run.
func (r *run) state() string {
	switch {
	case r.denied > 0:
		return "denied"
	case r.end == nil:
		return "lost"
	case r.end.ExitCode != nil && *r.end.ExitCode != 0 || r.end.Error != nil:
		return "failed"
	}
	return "fine"
}

func (r *run) row(c *call, id string) row {
	w := row{
		ID: id, Number: c.Call, Operation: line(c.Operation, 40), Asked: strings.Fields(c.asked(4000)), Decision: cmp.Or(c.verdict(), "undecided"),
		State: c.state(), Result: c.result(), Took: c.tookWords(), From: short(r.offset(c)), Till: short(r.until(c)),
		Rule: line(c.Rule, 1000), At: c.rule(), Why: line(c.Reason, 2000), Claim: claim(c.Claim),
	}
	if span := r.span(); span > 0 {
		w.Left = percent(r.offset(c), span)
		w.Width = percent(r.until(c), span) - w.Left
	}
	if c.Error != nil && c.Error.Message != c.Reason {
		w.Error = c.Error.words()
	}
	if c.done {
		w.Bytes = fmt.Sprintf("%d asked, %d answered", c.RequestBytes, c.ReplyBytes)
	}
	for _, l := range c.Layers {
		w.Layers = append(w.Layers, Layer{line(l.Layer, 40), line(l.Name, 200), line(l.Decision, 40), line(l.Rule, 1000), line(l.File, 200), l.Line})
	}
	return w
}

func percent(d, span time.Duration) float64 {
	return float64(int(float64(d)/float64(span)*10_000)) / 100
}

// state is the class of a call.
func (c *call) state() string {
	switch {
	case c.Decision == Denied:
		return "denied"
	case !c.done:
		return "lost"
	case c.failed():
		return "failed"
	}
	return "fine"
}

// claim writes JSON over several lines.
func claim(data json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, data, "", "  ") != nil {
		return ""
	}
	text := plaintext.Clean(b.String())
	if runes := []rune(text); len(runes) > maxPageClaim {
		return string(runes[:maxPageClaim]) + "…"
	}
	return text
}
