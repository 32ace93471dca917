package audit

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"
)

//go:embed report.html
var pageText string

//go:embed report.css
var pageStyle string

var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("report").Parse(pageText)) })

// Limits of a page, so that a browser can open it. The page says what is left out.
const (
	maxPageRuns     = 100
	maxPageRows     = 1000 // of a run
	maxPageDenials  = 200
	maxPageFindings = 100
	maxPageClaim    = 20_000 // characters
)

// HTML writes a page that shows a log. It needs no other file, no network and no script,
// and allows none. It shows the last runs of a long log, and the first calls of a long
// run: first each denial once, then an index of the runs, then the runs.
func HTML(w io.Writer, report Report, records []Record) error {
	b := bufio.NewWriter(w)
	if err := pageTemplate().Execute(b, newPage(report, runs(records))); err != nil {
		return err
	}
	return b.Flush()
}

// page is the input of the template, which escapes text. Text of a log is cleaned before.
// A State is a class of the style: denied, failed, lost or fine.
type page struct {
	Style                template.CSS
	Verdict, State, Head string
	Findings             []Finding
	MoreFindings         int
	Records, Calls       int
	Denied               int
	Denials              []*denial
	MoreDenials          int
	Runs                 []section
	AllRuns, MoreRuns    int
}

func newPage(report Report, all []*run) *page {
	p := &page{
		Style: template.CSS(pageStyle), Verdict: report.verdict(), State: report.state(), Head: line(report.Head, 64),
		Records: report.Records, AllRuns: len(all), MoreRuns: max(0, len(all)-maxPageRuns),
	}
	shown := min(len(report.Findings), maxPageFindings)
	p.MoreFindings = len(report.Findings) - shown + report.More
	for _, f := range report.Findings[:shown] {
		p.Findings = append(p.Findings, Finding{f.Line, f.Kind, line(f.Text, 400)})
	}
	denied := deny(all, p.MoreRuns)
	p.Denials, p.MoreDenials = denied.list, denied.more
	for i, r := range all {
		p.Calls += len(r.calls)
		p.Denied += r.denied
		if i >= p.MoreRuns {
			p.Runs = append(p.Runs, r.section(i+1, denied))
		}
	}
	foldSettings(p.Runs)
	return p
}

// foldSettings has a run refer to an earlier one with the same policies, provider and
// versions.
func foldSettings(sections []section) {
	seen := make(map[string]*section)
	for i := range sections {
		s := &sections[i]
		config := File{}
		if s.Config != nil {
			config = *s.Config
		}
		key := fmt.Sprintf("%q", []any{s.Policies, s.Provider, s.SHA256, config, s.Versions, s.Confinement})
		if same := seen[key]; same != nil {
			s.Same = same.Number
			continue
		}
		seen[key] = s
	}
}

func (r Report) state() string {
	switch {
	case r.Broken:
		return "denied"
	case len(r.Findings) > 0:
		return "failed"
	}
	return "fine"
}

// maxPlaces is the most calls that are named of a denial.
const maxPlaces = 5

// denial is a denied claim, with all calls that made it.
type denial struct {
	ID, Operation, Why string
	Asked              []string // its words
	Times, Runs        int
	Places             []place // the first of them
	MorePlaces         int
}

// place is a denied call. Row is the ID of its row, or empty.
type place struct {
	Row     string
	Call    int
	Run     int // from 1
	Command string
}

// denialKey identifies a denial.
type denialKey struct{ operation, asked, reason string }

func (c *call) denialKey() denialKey { return denialKey{c.Operation, c.Asked, c.Reason} }

// denials are the distinct denials of a log.
type denials struct {
	list  []*denial
	more  int // calls that are not in the list
	byKey map[denialKey]*denial
}

// deny collects the denials. The first hidden runs have no section on the page.
func deny(all []*run, hidden int) *denials {
	denied := &denials{byKey: make(map[denialKey]*denial)}
	for i, r := range all {
		seen := make(map[*denial]bool)
		for row, group := range r.groups() {
			c := group[0]
			if c.Decision != Denied {
				continue
			}
			d := denied.of(c)
			if d == nil {
				denied.more += len(group)
				continue
			}
			d.Times += len(group)
			if seen[d] {
				continue
			}
			seen[d] = true
			d.Runs++
			p := place{Call: c.Call, Run: i + 1, Command: line(r.about.Command, 40)}
			if i >= hidden && row < maxPageRows {
				p.Row = rowID(i+1, row)
			}
			d.add(p)
		}
	}
	return denied
}

// of is the entry of a call's denial, nil if the list is full.
func (t *denials) of(c *call) *denial {
	key := c.denialKey()
	if d := t.byKey[key]; d != nil || len(t.list) == maxPageDenials {
		return d
	}
	d := &denial{
		ID: fmt.Sprint("denial-", len(t.list)+1), Operation: line(c.Operation, 40), Asked: c.words(), Why: line(c.Reason, 2000),
	}
	t.byKey[key] = d
	t.list = append(t.list, d)
	return d
}

func (d *denial) add(p place) {
	if len(d.Places) == maxPlaces {
		d.MorePlaces++
		return
	}
	d.Places = append(d.Places, p)
}
