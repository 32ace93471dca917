package audit

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// run is what a log says of one run, as it is shown.
type run struct {
	id         string
	about      *Record // its first record
	end        *Record // nil if there is none
	calls      []*call
	byNumber   map[int]*call
	denied     int
	from, till time.Time
}

// call is what a log says of one call.
type call struct {
	*Record      // the last of it that there is
	done    bool // it is known how it ended
	at      time.Time
}

// took is how long the call took.
func (c *call) took() time.Duration { return milliseconds(c.DurationMS) }

func milliseconds(ms float64) time.Duration {
	// Whoever changed the file may have put in anything.
	if d := ms * float64(time.Millisecond); d >= 0 && d < math.MaxInt64 {
		return time.Duration(d)
	}
	return 0
}

// runs puts together what belongs together, in the order of the log.
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

// span is how long the run took, as far as it is known.
func (r *run) span() time.Duration { return max(0, r.till.Sub(r.from)) }

// offset is when a call began, from the run's begin.
func (r *run) offset(c *call) time.Duration { return min(max(0, c.at.Sub(r.from)), r.span()) }

// until is how much later a call ended; one that did not lasts until the run's
// last record.
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

// provider is the ID and the first of the digest.
func (r *run) provider() string {
	if r.about.SHA256 == "" {
		return line(r.about.Provider, 60)
	}
	return line(r.about.Provider, 60) + "@sha256:" + line(r.about.SHA256, 64)
}

// asked is what a call wanted, without the operation's name before it.
func (c *call) asked(limit int) string {
	said, operation := line(c.Asked, limit), line(c.Operation, 40)
	if rest := said[min(len(said), len(operation)):]; operation != "" && said == operation+rest && (rest == "" || rest[0] == ' ') {
		said = rest
	}
	return line(said, limit)
}

// verdict is what was decided, in a word.
func (c *call) verdict() string {
	if c.Type == TypeBegin {
		return Allowed
	}
	return line(c.Decision, 40)
}

// rule is where the rule that decided stands, else whose word it was.
func (c *call) rule() string {
	switch {
	case c.RuleFile != "" && c.RuleLine > 0:
		return line(c.RuleFile, 200) + ":" + strconv.Itoa(c.RuleLine)
	case c.RuleFile != "":
		return line(c.RuleFile, 200)
	}
	return line(c.Layer, 40)
}

// result is how a call ended, in a few words.
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

// failed tells whether a call that was allowed did not work.
func (c *call) failed() bool {
	return c.done && c.Decision != Denied && (c.Error != nil || c.Signal != "" || c.ExitCode != nil && *c.ExitCode != 0)
}

// short writes a duration with three digits or so.
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

// line is text that others wrote, made safe to show.
func line(s string, limit int) string { return termtext.Line(s, limit) }
