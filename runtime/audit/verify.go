package audit

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
)

// checker goes through the lines of a log.
type checker struct {
	report Report
	line   int
	runs   map[string]*progress
	order  []*progress

	// between covers the bytes since the last record; it is nil if there are
	// none.
	between hash.Hash
	// pending are those of them that break off.
	pending []Finding
	// claimed is the hash that the line before states, if it isn't its own.
	claimed string
	long    bool // this line is longer than a record may be
	torn    bool // it has no newline
}

// progress is what has been seen of a run.
type progress struct {
	id    string
	seq   int
	line  int // of its last record
	ended bool
	begun map[int]int // lines of calls that aren't done, by number
}

func newChecker() *checker {
	return &checker{report: Report{Head: origin, Findings: []Finding{}}, runs: make(map[string]*progress)}
}

// tooLong takes the first bytes of a line that is no record.
func (c *checker) tooLong(data []byte) {
	c.long = true
	c.cover(data)
}

func (c *checker) cover(data []byte) {
	if c.between == nil {
		c.between = sha256.New()
		c.between.Write([]byte(c.report.Head))
	}
	c.between.Write(data)
}

// take looks at a line, and gives the record in it.
func (c *checker) take(line []byte, ended bool) (Record, bool) {
	c.line++
	c.torn = !ended
	if c.long || len(line) > MaxLine {
		c.long, c.claimed = false, ""
		c.find(c.line, Foreign, "the line has more than %d bytes and is no record", MaxLine)
		c.skip(line, ended)
		return Record{}, false
	}
	rec, ok := parse(line)
	if hash, whole := sealed(line); whole && ok {
		c.link(rec.Prev, hash)
		if !ended {
			c.find(c.line, Torn, "the record is whole and its newline is missing; its writer was killed or the disk was full")
		}
	} else {
		c.unsealed(line, ok && !whole)
		c.skip(line, ended)
	}
	if ok {
		c.report.Records++
		c.advance(rec)
	}
	return rec, ok
}

// link compares what a record follows with what stands before it. It follows
// the record before and covers the bytes between, or follows a line that was
// changed since, or bytes were put in since.
func (c *checker) link(prev, hash string) {
	covered := c.report.Head
	if c.between != nil {
		covered = hex.EncodeToString(c.between.Sum(nil))
	}
	c.settle(prev == covered)
	changed := c.claimed != "" && prev == c.claimed
	if prev != covered && prev != c.report.Head && !changed {
		c.find(c.line, Missing, "the record does not follow what stands before it; what it followed was removed, changed or moved")
	}
	c.report.Head, c.between, c.claimed = hash, nil, ""
}

// unsealed takes a line that isn't as a writer left it.
func (c *checker) unsealed(line []byte, record bool) {
	var ends bool
	_, c.claimed, ends = split(line)
	switch {
	case record:
		c.find(c.line, Changed, "the record was changed, its hash is not that of the line")
	case brokenOff(line) && len(c.pending) < maxFindings:
		c.pending = append(c.pending, Finding{Line: c.line})
	case ends && bytes.HasPrefix(line, []byte(opening)):
		c.find(c.line, Changed, "the record was changed and can't be read any more")
	default:
		c.find(c.line, Foreign, "the line is no record")
	}
}

func (c *checker) skip(line []byte, ended bool) {
	c.cover(line)
	if ended {
		c.cover([]byte{'\n'})
	}
}

// settle tells what the lines are that break off. A kill leaves one that the
// next writer finds so and covers, or that no writer has found yet.
func (c *checker) settle(left bool) {
	for _, f := range c.pending {
		if left {
			c.find(f.Line, Torn, "the line breaks off and its record is lost; its writer was killed or the disk was full")
		} else {
			c.find(f.Line, Changed, "the record was changed, its end is missing")
		}
	}
	c.pending = nil
}

// advance compares a record with what its run has had before.
func (c *checker) advance(r Record) {
	p := c.runs[r.Run]
	if p == nil {
		p = &progress{id: r.Run, begun: make(map[int]int)}
		c.runs[r.Run] = p
		c.order = append(c.order, p)
		c.report.Runs++
	}
	if r.Seq != p.seq+1 {
		c.find(c.line, Gap, "record %d of run %s stands where its record %d should", r.Seq, name(r.Run), p.seq+1)
	}
	p.seq, p.line = r.Seq, c.line
	switch r.Type {
	case TypeBegin:
		p.begun[r.Call] = c.line
	case TypeCall:
		delete(p.begun, r.Call)
	case TypeEnd:
		p.ended = true
	}
}

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
