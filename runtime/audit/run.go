package audit

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// run is a run of a log, as it is shown.
type run struct {
	id         string
	about      *Record // its first record
	end        *Record // nil if there is none
	calls      []*call
	byNumber   map[int]*call
	denied     int
	from, till time.Time
}

// call is a call of a run.
type call struct {
	*Record      // its last one
	done    bool // it has an end
	at      time.Time
}

func (c *call) took() time.Duration { return milliseconds(c.DurationMS) }

func milliseconds(ms float64) time.Duration {
	// The file may have been changed.
	if d := ms * float64(time.Millisecond); d >= 0 && d < math.MaxInt64 {
		return time.Duration(d)
	}
	return 0
}

// runs groups records by run, in the order of the log.
func runs(records []Record) []*run {
	var all []*run
	byID := make(map[string]*run)
	for i := range records {
		rec := &records[i]
		r := byID[rec.Run]
		if r == nil {
			r = &run{id: rec.Run, about: rec, from: rec.Time, byNumber: make(map[int]*call)}
			byID[rec.Run] = r
			all = append(all, r)
		}
		r.add(rec)
	}
	return all
}

func (r *run) add(rec *Record) {
	if rec.Time.After(r.till) {
		r.till = rec.Time
	}
	switch rec.Type {
	case TypeBegin:
		c := &call{Record: rec, at: rec.Time}
		r.calls = append(r.calls, c)
		r.byNumber[rec.Call] = c
	case TypeCall:
		c := r.byNumber[rec.Call]
		if c == nil || c.done {
			c = &call{}
			r.calls = append(r.calls, c)
			r.byNumber[rec.Call] = c
		}
		c.Record, c.done = rec, true
		c.at = rec.Time.Add(-c.took())
		if rec.Decision == Denied {
			r.denied++
		}
	case TypeEnd:
		r.end = rec
	}
}

// span is how long the run took, up to its last record.
func (r *run) span() time.Duration { return max(0, r.till.Sub(r.from)) }

// offset is when a call began, counted from the run's begin.
func (r *run) offset(c *call) time.Duration { return min(max(0, c.at.Sub(r.from)), r.span()) }

// until is when a call ended, counted from the run's begin; one without an end lasts until
// the run's last record.
func (r *run) until(c *call) time.Duration {
	if !c.done {
		return r.span()
	}
	return r.offset(c) + min(c.took(), r.span()-r.offset(c))
}

// outcome is how the run ended, in words.
func (r *run) outcome() string {
	switch {
	case r.end == nil:
		return "no end"
	case r.end.ExitCode != nil:
		return fmt.Sprintf("%s, exit %d", line(r.end.Outcome, 40), *r.end.ExitCode)
	}
	return line(r.end.Outcome, 40)
}

// provider is the ID with the digest.
func (r *run) provider() string {
	if r.about.SHA256 == "" {
		return line(r.about.Provider, 60)
	}
	return line(r.about.Provider, 60) + "@sha256:" + line(r.about.SHA256, 64)
}

// asked is the claim in words, without the operation's name.
func (c *call) asked(limit int) string {
	said, operation := line(c.Asked, limit), line(c.Operation, 40)
	if rest := said[min(len(said), len(operation)):]; operation != "" && said == operation+rest && (rest == "" || rest[0] == ' ') {
		said = rest
	}
	return line(said, limit)
}

// verdict is the decision.
func (c *call) verdict() string {
	if c.Type == TypeBegin {
		return Allowed
	}
	return line(c.Decision, 40)
}

// rule is the place of the rule that decided, or its layer.
func (c *call) rule() string {
	switch {
	case c.RuleFile != "" && c.RuleLine > 0:
		return line(c.RuleFile, 200) + ":" + strconv.Itoa(c.RuleLine)
	case c.RuleFile != "":
		return line(c.RuleFile, 200)
	}
	return line(c.Layer, 40)
}

// result says how a call ended.
func (c *call) result() string {
	switch {
	case !c.done:
		return "no end"
	case c.Decision == Denied:
		return "not done"
	case c.Error != nil && c.Error.Code != "":
		return line(c.Error.Code, 40)
	case c.Error != nil:
		return "failed"
	case c.Signal != "":
		return line(c.Signal, 40)
	case c.Unchanged:
		return "unchanged, not run"
	case c.ExitCode != nil:
		return "exit " + strconv.Itoa(*c.ExitCode)
	}
	return "ok"
}

// failed reports whether an allowed call failed.
func (c *call) failed() bool {
	return c.done && c.Decision != Denied && (c.Error != nil || c.Signal != "" || c.ExitCode != nil && *c.ExitCode != 0)
}

// short is a duration with about three digits.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// line makes text safe to show.
func line(s string, limit int) string { return termtext.Line(s, limit) }
