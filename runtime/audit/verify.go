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

// checker verifies the lines of a log.
type checker struct {
	report Report
	line   int
	runs   map[string]*progress
	order  []*progress

	// between covers the bytes since the last record; nil if there are none.
	between hash.Hash
	// pending are the incomplete lines among them.
	pending []Finding
	// claimed is the hash in the line before, if it is wrong.
	claimed string
	long    bool // the line is longer than a record
	torn    bool // it has no newline
}

// progress is the state of a run so far.
type progress struct {
	id    string
	seq   int
	line  int // of its last record
	ended bool
	begun map[int]int // lines of calls without an end, by number
}

func newChecker() *checker {
	return &checker{report: Report{Head: origin, Findings: []Finding{}}, runs: make(map[string]*progress)}
}

// tooLong takes the first bytes of a line that is too long for a record.
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

// take verifies a line and returns its record.
func (c *checker) take(line []byte, ended bool) (Record, bool) {
	c.line++
	c.torn = !ended
	if c.long || len(line) > MaxLine {
		c.long, c.claimed = false, ""
		c.find(c.line, Foreign, "not a record: more than %d bytes", MaxLine)
		c.skip(line, ended)
		return Record{}, false
	}
	rec, ok := parse(line)
	if hash, whole := sealed(line); whole && ok {
		c.link(rec.Prev, hash)
		if !ended {
			c.find(c.line, Torn, "the record has no newline; its writer was killed or the disk was full")
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

// link compares a record's prev with what comes before it: the record before with the
// bytes between. If those were inserted or the line before was changed, that is found
// elsewhere.
func (c *checker) link(prev, hash string) {
	covered := c.report.Head
	if c.between != nil {
		covered = hex.EncodeToString(c.between.Sum(nil))
	}
	c.settle(prev == covered)
	changed := c.claimed != "" && prev == c.claimed
	if prev != covered && prev != c.report.Head && !changed {
		c.find(c.line, Missing, "the record does not follow the one before it; the one that it followed was removed, changed or moved")
	}
	c.report.Head, c.between, c.claimed = hash, nil, ""
}

// unsealed takes a line without a valid hash.
func (c *checker) unsealed(line []byte, record bool) {
	var ends bool
	_, c.claimed, ends = split(line)
	switch {
	case record:
		c.find(c.line, Changed, "the record was changed: its hash is wrong")
	case incomplete(line) && len(c.pending) < maxFindings:
		c.pending = append(c.pending, Finding{Line: c.line})
	case ends && bytes.HasPrefix(line, []byte(opening)):
		c.find(c.line, Changed, "the record was changed and cannot be read")
	default:
		c.find(c.line, Foreign, "not a record")
	}
}

func (c *checker) skip(line []byte, ended bool) {
	c.cover(line)
	if ended {
		c.cover([]byte{'\n'})
	}
}

// settle reports the pending lines. If they are covered, or at the end of the file, a kill
// explains them.
func (c *checker) settle(killed bool) {
	for _, f := range c.pending {
		if killed {
			c.find(f.Line, Torn, "the record is incomplete; its writer was killed or the disk was full")
		} else {
			c.find(f.Line, Changed, "the record was changed: its end is missing")
		}
	}
	c.pending = nil
}

// advance compares a record with those of its run before it.
func (c *checker) advance(r Record) {
	p := c.runs[r.Run]
	if p == nil {
		p = &progress{id: r.Run, begun: make(map[int]int)}
		c.runs[r.Run] = p
		c.order = append(c.order, p)
		c.report.Runs++
	}
	if r.Seq != p.seq+1 {
		c.find(c.line, Gap, "expected record %d of run %s, got record %d", p.seq+1, name(r.Run), r.Seq)
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

// Report is the result of verifying a log.
type Report struct {
	// Records and Runs are their numbers.
	Records int `json:"records"`
	Runs    int `json:"runs"`
	// Head is the hash of the last valid record; 64 zeros if there is none.
	Head string `json:"head"`
	// Findings are sorted by line; More is the number of those left out.
	Findings []Finding `json:"findings"`
	More     int       `json:"more,omitempty"`
	// Broken means that a finding is not explained by a kill.
	Broken bool `json:"broken"`
}

// Finding is a problem in a log.
type Finding struct {
	Line int    `json:"line"` // from 1
	Kind Kind   `json:"kind"`
	Text string `json:"text"`
}

// String is the finding as one line of text.
func (f Finding) String() string { return fmt.Sprintf("line %d: %s", f.Line, f.Text) }

// Kind is a kind of finding.
type Kind string

// The kinds of findings. A kill, a crash, a full disk, a run that is not over, or a cut
// at the end explains Torn and Unfinished. All others mean that the log was modified.
const (
	Changed    Kind = "changed"    // a record has a wrong hash
	Missing    Kind = "missing"    // a record does not follow the one before
	Gap        Kind = "gap"        // a run's records are not numbered in order
	Foreign    Kind = "foreign"    // a line is not a record
	Torn       Kind = "torn"       // a line is incomplete
	Unfinished Kind = "unfinished" // a call or a run without an end
)

// maxFindings is the most findings of a file, which may not be a log at all.
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

// finish reports what has no end.
func (c *checker) finish() {
	c.settle(c.torn)
	for _, p := range c.order {
		for _, call := range slices.Sorted(maps.Keys(p.begun)) {
			c.find(p.begun[call], Unfinished, "call %d of run %s begins here and has no end", call, name(p.id))
		}
		if !p.ended {
			c.find(p.line, Unfinished, "run %s has its last record here and no end; it was killed, is still running, or the log was cut off", name(p.id))
		}
	}
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
}

// name is a run's ID, safe to show.
func name(run string) string { return line(run, 40) }
