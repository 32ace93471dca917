package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Report is whether a log is as it was written.
type Report struct {
	// Records is how many there are, and Runs of how many runs.
	Records int `json:"records"`
	Runs    int `json:"runs"`
	// Head is the hash of the last whole record; 64 zeros where there is none.
	Head string `json:"head"`
	// Findings are what isn't as it should be, by line; More is how many were
	// left out of many.
	Findings []Finding `json:"findings"`
	More     int       `json:"more,omitempty"`
	// Broken tells that there is a finding that no kill explains.
	Broken bool `json:"broken"`
}

// Finding is one thing that isn't as it should be.
type Finding struct {
	Line int    `json:"line"` // from 1
	Kind Kind   `json:"kind"`
	Text string `json:"text"`
}

// String is the finding in a line, without the file's name.
func (f Finding) String() string { return fmt.Sprintf("line %d: %s", f.Line, f.Text) }

// Kind is what is found, in a word.
type Kind string

// The kinds of findings. Torn and Unfinished are what a kill, a crash, a full
// disk or a run that still goes on leaves behind, or who cuts off the end of a
// log; all others say that the log was meddled with.
const (
	Changed    Kind = "changed"    // a record isn't what its hash is of
	Missing    Kind = "missing"    // a record does not follow the one before
	Gap        Kind = "gap"        // a run's records don't count up
	Foreign    Kind = "foreign"    // a line is no record
	Torn       Kind = "torn"       // a line breaks off
	Unfinished Kind = "unfinished" // a call without its end, or a run
)

// maxFindings bounds what is kept of a file that is something else than a log.
const maxFindings = 1000

func (c *checker) find(line int, kind Kind, format string, args ...any) {
	if kind != Torn && kind != Unfinished {
		c.report.Broken = true
	}
	if len(c.report.Findings) == maxFindings {
		c.report.More++
		return
	}
	c.report.Findings = append(c.report.Findings, Finding{line, kind, fmt.Sprintf(format, args...)})
}

// finish tells what there should be more of.
func (c *checker) finish() {
	c.settle(c.torn)
	for _, p := range c.order {
		for _, call := range slices.Sorted(maps.Keys(p.begun)) {
			c.find(p.begun[call], Unfinished, "call %d of run %s begins here and no record says how it ended", call, name(p.id))
		}
		if !p.ended {
			c.find(p.line, Unfinished, "run %s has its last record here and no end; it was killed, goes on, or the log was cut off", name(p.id))
		}
	}
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
}

// name is a run's ID as it may be shown.
func name(run string) string { return line(run, 40) }
