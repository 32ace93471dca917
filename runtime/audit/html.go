package audit

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed report.html
var pageText string

//go:embed report.css
var pageStyle string

var pageTemplate = template.Must(template.New("report").Parse(pageText))

// What a page has at most, so that a browser opens it whatever the log is. It
// says what is left out.
const (
	maxPageRuns     = 100
	maxPageCalls    = 1000 // of a run
	maxPageDenials  = 200
	maxPageFindings = 100
	maxPageClaim    = 20_000 // characters
)

// HTML writes a page that shows a log in a browser. It needs no other file, no
// network and no script, and allows none. Of a long log it shows the last runs,
// and of a long run the first calls; what was denied comes first.
func HTML(w io.Writer, report Report, records []Record) error {
	b := bufio.NewWriter(w)
	if err := pageTemplate.Execute(b, newPage(report, runs(records))); err != nil {
		return err
	}
	return b.Flush()
}

// page is what the template shows. All text of others in it is cleaned, and
// the template escapes it. A State is a class of the style: denied, failed,
// lost or fine.
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

// denial is what a run was denied, once or more.
type denial struct {
	row
	Run     string
	Command string
	Times   int
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
	for i, r := range all {
		p.Calls += len(r.calls)
		p.Denied += r.denied
		id := ""
		if i >= p.MoreRuns {
			id = fmt.Sprint("run-", i+1)
			p.Runs = append(p.Runs, r.section(id))
		}
		p.deny(r, id)
	}
	return p
}

// deny adds what a run was denied. The run's section is on the page if it has
// an ID.
func (p *page) deny(r *run, id string) {
	seen := make(map[[3]string]*denial)
	for i, c := range r.calls {
		if c.Decision != Denied {
			continue
		}
		key := [3]string{c.Operation, c.Asked, c.Reason}
		switch d := seen[key]; {
		case d != nil:
			d.Times++
		case len(p.Denials) == maxPageDenials:
			p.MoreDenials++
		default:
			d = &denial{row: r.row(c, callID(id, i)), Run: line(r.id, 40), Command: line(r.about.Command, 40), Times: 1}
			seen[key] = d
			p.Denials = append(p.Denials, d)
		}
	}
}

// state is the class of a report.
func (r Report) state() string {
	switch {
	case r.Broken:
		return "denied"
	case len(r.Findings) > 0:
		return "failed"
	}
	return "fine"
}
