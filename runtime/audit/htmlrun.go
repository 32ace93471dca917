package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// section is a run on a page.
type section struct {
	Number               int // from 1
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
	Same                 int // an earlier run with the same policies, provider and versions; 0 for none
}

// row is a call on a page, or several like it in sequence.
type row struct {
	ID              string // of its element
	Number          string
	Times           int
	Operation       string
	Asked           []string // its words
	Decision, State string
	Result, Took    string
	From, Till      string
	Left, Width     float64 // of the bar, in percent
	Rule, At, Why   string
	Denial          string // the ID of the entry that has the reason
	Error           string
	Layers          []Layer
	Claim           string
	Bytes           string
}

func (r *run) section(number int, denied *denials) section {
	groups := r.groups()
	s := section{
		Number: number, ID: runID(number), Run: line(r.id, 40), Command: line(r.about.Command, 40), Outcome: r.outcome(), State: r.state(),
		When: r.from.UTC().Format(time.DateTime) + " UTC", At: r.from.UTC().Format(time.RFC3339), Took: short(r.span()), Half: short(r.span() / 2),
		Provider: line(r.about.Provider, 60), SHA256: line(r.about.SHA256, 64), Policies: r.policies(),
		Confinement: line(r.about.Confinement, 200), Calls: len(r.calls), Denied: r.denied, Error: r.error(), Changed: r.changed(),
	}
	if c := r.about.Config; c != nil {
		s.Config = &File{line(c.Name, 200), line(c.SHA256, 64)}
	}
	for _, what := range slices.Sorted(maps.Keys(r.about.Versions)) {
		s.Versions = append(s.Versions, fact{line(what, 40), line(r.about.Versions[what], 100)})
	}
	for i, group := range groups {
		if i >= maxPageRows {
			s.More += len(group)
			continue
		}
		row := r.row(group, rowID(number, i))
		if d := denied.byKey[group[0].denialKey()]; d != nil && group[0].Decision == Denied {
			row.Denial, row.Why = d.ID, ""
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// error is why the run failed, empty if that is its denials.
func (r *run) error() string {
	if r.end == nil || r.end.Error == nil || r.end.Outcome == Denied && r.denied > 0 {
		return ""
	}
	return r.end.Error.words()
}

// groups are the calls, with those alike in sequence as one.
func (r *run) groups() [][]*call {
	var groups [][]*call
	for _, c := range r.calls {
		if last := len(groups) - 1; last >= 0 && groups[last][0].alike(c) {
			groups[last] = append(groups[last], c)
			continue
		}
		groups = append(groups, []*call{c})
	}
	return groups
}

// alike reports whether two calls differ only in their time.
func (c *call) alike(other *call) bool {
	return c.done == other.done && c.denialKey() == other.denialKey() && c.verdict() == other.verdict() && c.rule() == other.rule() &&
		c.result() == other.result() && bytes.Equal(c.Claim, other.Claim) && slices.Equal(c.Layers, other.Layers) && c.errorWords() == other.errorWords()
}

// errorWords is the call's error, unless it is the reason.
func (c *call) errorWords() string {
	if c.Error == nil || c.Error.Message == c.Reason {
		return ""
	}
	return c.Error.words()
}

func runID(number int) string { return fmt.Sprint("run-", number) }

// rowID names the i-th row of a run.
func rowID(number, i int) string { return fmt.Sprintf("%s-call-%d", runID(number), i+1) }

func (r *run) policies() []Policy {
	var policies []Policy
	for _, p := range r.about.Policies {
		policies = append(policies, Policy{line(p.Layer, 40), line(p.Name, 200), line(p.SHA256, 64)})
	}
	return policies
}

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

// row shows calls that are alike.
func (r *run) row(group []*call, id string) row {
	c, last := group[0], group[len(group)-1]
	w := row{
		ID: id, Number: strconv.Itoa(c.Call), Times: len(group), Operation: line(c.Operation, 40), Asked: c.words(), Decision: cmp.Or(c.verdict(), "undecided"),
		State: c.state(), Result: c.result(), Took: c.tookWords(), From: short(r.offset(c)), Till: short(r.until(last)),
		Rule: line(c.Rule, 1000), At: c.rule(), Why: line(c.Reason, 2000), Claim: claim(c.Claim), Error: c.errorWords(),
	}
	if span := r.span(); span > 0 {
		w.Left = percent(r.offset(c), span)
		w.Width = percent(max(0, r.until(last)-r.offset(c)), span)
	}
	if len(group) > 1 {
		w.Number += "\u2013" + strconv.Itoa(last.Call)
		w.Took = short(max(0, r.until(last)-r.offset(c)))
	} else if c.done {
		w.Bytes = fmt.Sprintf("%d asked, %d answered", c.RequestBytes, c.ReplyBytes)
	}
	for _, l := range c.Layers {
		w.Layers = append(w.Layers, Layer{line(l.Layer, 40), line(l.Name, 200), line(l.Decision, 40), line(l.Rule, 1000), line(l.File, 200), l.Line})
	}
	return w
}

func (c *call) words() []string { return strings.Fields(c.asked(4000)) }

func percent(d, span time.Duration) float64 {
	return float64(int(float64(d)/float64(span)*10_000)) / 100
}

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

// claim indents JSON.
func claim(data json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, data, "", "  ") != nil {
		return ""
	}
	text := termtext.Clean(b.String())
	if runes := []rune(text); len(runes) > maxPageClaim {
		return string(runes[:maxPageClaim]) + "…"
	}
	return text
}
