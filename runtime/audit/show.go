package audit

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Show writes a log as text: its findings, and for each run its settings, a table of its
// calls and a timeline.
func Show(w io.Writer, report Report, records []Record) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s\n", report.verdict())
	for _, f := range report.Findings {
		fmt.Fprintf(b, "  %s\n", line(f.String(), 200))
	}
	if report.More > 0 {
		fmt.Fprintf(b, "  and %s\n", count(report.More, "more finding"))
	}
	for _, r := range runs(records) {
		r.showHead(b)
		r.showDenied(b)
		r.showCalls(b)
		r.showTimeline(b)
	}
	return b.Flush()
}

// verdict is the report in a sentence.
func (r Report) verdict() string {
	of := fmt.Sprintf("%s of %s", count(r.Records, "record"), count(r.Runs, "run"))
	switch {
	case r.Broken:
		return "The log was modified: " + count(len(r.Findings)+r.More, "finding") + ", " + of
	case len(r.Findings) > 0:
		return "The chain is intact, but some runs or calls have no end: " + of
	}
	return "The chain is intact: " + of
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (r *run) showHead(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(fmt.Sprintf("run %s: %s", line(r.id, 40), r.title())))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.facts() {
		fmt.Fprintf(t, "  %s\t%s\n", f.Name, f.Text)
	}
	t.Flush()
}

// title is the run's command and outcome.
func (r *run) title() string {
	return strings.TrimPrefix(line(r.about.Command, 40)+", "+r.outcome(), ", ")
}

// fact is a property of a run.
type fact struct{ Name, Text string }

// facts are the properties of a run, without its calls.
func (r *run) facts() []fact {
	a := r.about
	facts := []fact{
		{"when", r.from.UTC().Format(time.DateTime) + " UTC, took " + short(r.span())},
		{"provider", r.provider()},
	}
	for _, p := range a.Policies {
		facts = append(facts, fact{"policy", p.words()})
	}
	if a.Config != nil {
		facts = append(facts, fact{"config", named(a.Config.Name, a.Config.SHA256)})
	}
	if len(a.Versions) > 0 {
		facts = append(facts, fact{"versions", versions(a.Versions)})
	}
	if a.Confinement != "" {
		facts = append(facts, fact{"confinement", line(a.Confinement, 200)})
	}
	facts = append(facts, fact{"calls", fmt.Sprintf("%d, %d denied", len(r.calls), r.denied)})
	if r.end != nil && r.end.Error != nil {
		facts = append(facts, fact{"error", r.end.Error.words()})
	}
	if changed := r.changed(); changed != "" {
		facts = append(facts, fact{"changed", changed})
	}
	return facts
}

// changed lists the files that restrict runs and changed during this one.
func (r *run) changed() string {
	if r.end == nil {
		return ""
	}
	var said []string
	for _, c := range r.end.Changed {
		said = append(said, line(c.Name, 200)+" "+line(c.How, 40))
	}
	return line(strings.Join(said, ", "), 2000)
}

func (p Policy) words() string {
	return strings.TrimSpace(line(p.Layer, 40) + " " + named(p.Name, p.SHA256))
}

// named is a file with its hash.
func named(file, sha256 string) string {
	if sha256 == "" {
		return line(file, 200)
	}
	return line(file, 200) + " sha256:" + line(sha256, 64)
}

func versions(v map[string]string) string {
	var said []string
	for _, what := range slices.Sorted(maps.Keys(v)) {
		said = append(said, line(what, 40)+" "+line(v[what], 100))
	}
	return strings.Join(said, ", ")
}

func (f *Failure) words() string {
	return line(strings.TrimPrefix(f.Code+": "+f.Message, ": "), 400)
}

func (r *run) showDenied(w io.Writer) {
	for _, c := range r.calls {
		if c.Decision == Denied {
			fmt.Fprintf(w, "  denied #%d %s %s\n    %s\n", c.Call, line(c.Operation, 40), c.asked(400), c.why())
		}
	}
}

func (c *call) why() string { return cmp.Or(line(c.Reason, 1000), "no reason given") }

func (r *run) showCalls(w io.Writer) {
	if len(r.calls) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  #\tstart\ttook\tdecision\tresult\tby\toperation\tasked")
	for _, c := range r.calls {
		fmt.Fprintf(t, "  %d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Call, short(r.offset(c)), c.tookWords(),
			cmp.Or(c.verdict(), "-"), c.result(), cmp.Or(c.rule(), "-"), line(c.Operation, 40), c.asked(400))
	}
	t.Flush()
}

func (c *call) tookWords() string {
	if !c.done {
		return "-"
	}
	return short(c.took())
}

// columns is the width of a timeline.
const columns = 40

func (r *run) showTimeline(w io.Writer) {
	if len(r.calls) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  %s in %d columns\n", short(r.span()), columns)
	for _, c := range r.calls {
		fmt.Fprintf(w, "  %4d |%s| %s\n", c.Call, r.bar(c), line(c.Operation+" "+c.asked(60), 60))
	}
}

// bar draws a call: = while it ran, x if it was denied, and > if it has no end.
func (r *run) bar(c *call) string {
	from, till := column(r.offset(c), r.span()), column(r.until(c), r.span())
	bar := []byte(strings.Repeat(" ", columns))
	for i := from; i <= till; i++ {
		bar[i] = '='
	}
	switch {
	case c.Decision == Denied:
		bar[from] = 'x'
	case !c.done:
		bar[till] = '>'
	}
	return string(bar)
}

// column is the column of a time.
func column(at, span time.Duration) int {
	if span <= 0 {
		return 0
	}
	return min(columns-1, int(float64(at)/float64(span)*columns))
}
