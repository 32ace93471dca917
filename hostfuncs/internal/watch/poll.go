package watch

import (
	"errors"
	"fmt"
	"time"
)

// pauseAtLeast is the least time between two looks at all files, and pauseFactor how many
// times as long as the look itself it is.
const (
	pauseAtLeast = 500 * time.Millisecond
	pauseFactor  = 20
)

var errTooMany = errors.New("each file takes a descriptor on this system")

// listen asks for events, if the system has them for the project's file system.
func (t *tree) listen() {
	if name := remote(t.opts.Project.Root()); name != "" {
		t.opts.Warn(fmt.Errorf("the project is on a file system (%s) that does not report all changes: files are compared from time to time", name))
		return
	}
	e, err := newEvents()
	if err != nil {
		t.lookFromTimeToTime(err)
		return
	}
	t.events = e
}

// lookFromTimeToTime gives up on events.
func (t *tree) lookFromTimeToTime(why error) {
	if t.events != nil {
		t.events.close()
		t.events = nil
	}
	t.opts.Warn(fmt.Errorf("cannot watch files by events (%w): they are compared from time to time%s", why, remedy(why)))
}
