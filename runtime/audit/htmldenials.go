package audit

import "fmt"

// maxPlaces is how many of a denial's calls are named.
const maxPlaces = 5

// denial is what was denied, in however many calls of however many runs.
type denial struct {
	ID, Operation, Why string
	Asked              []string // its words
	Times, Runs        int
	Places             []place // the first of them
	MorePlaces         int
}

// place is a call that was denied. Row is the ID of its row, empty for none.
type place struct {
	Row     string
	Call    int
	Run     int // from 1
	Command string
}

// denialKey has what makes two denials the same.
type denialKey struct{ operation, asked, reason string }

func (c *call) denialKey() denialKey { return denialKey{c.Operation, c.Asked, c.Reason} }

// denials are the distinct denials of a log.
type denials struct {
	list  []*denial
	more  int // calls whose denial is not in the list
	byKey map[denialKey]*denial
}

// deny collects what the runs were denied. The first hidden runs have no
// section on the page.
func deny(all []*run, hidden int) *denials {
	told := &denials{byKey: make(map[denialKey]*denial)}
	for i, r := range all {
		seen := make(map[*denial]bool)
		for row, group := range r.groups() {
			c := group[0]
			if c.Decision != Denied {
				continue
			}
			d := told.of(c)
			if d == nil {
				told.more += len(group)
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
	return told
}

// of is the entry of a call's denial, nil where the list is full.
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
