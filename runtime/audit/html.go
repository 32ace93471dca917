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

// What a page has at most, so that a browser opens it whatever the log is. It
// says what is left out.
const (
	maxPageRuns     = 100
	maxPageRows     = 1000 // of a run
	maxPageDenials  = 200
	maxPageFindings = 100
	maxPageClaim    = 20_000 // characters
)

// HTML writes a page that shows a log in a browser. It needs no other file, no
// network and no script, and allows none. Of a long log it shows the last runs,
// and of a long run the first calls. What was denied comes first, each denial
// once; then an index of the runs.
func HTML(w io.Writer, report Report, records []Record) error {
	b := bufio.NewWriter(w)
	if err := pageTemplate().Execute(b, newPage(report, runs(records))); err != nil {
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
	told := deny(all, p.MoreRuns)
	p.Denials, p.MoreDenials = told.list, told.more
	for i, r := range all {
		p.Calls += len(r.calls)
		p.Denied += r.denied
		if i >= p.MoreRuns {
			p.Runs = append(p.Runs, r.section(i+1, told))
		}
	}
	foldSettings(p.Runs)
	return p
}

// foldSettings lets a run refer to an earlier one that had the same policies,
// provider and versions.
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
