package session

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
)

// keyboard is where the user types keys for a run of dev, nil if nobody can.
func (r *run) keyboard() *exec.Keyboard {
	if r.operation != abi.ExportDev || r.mode.preview() != nil {
		return nil
	}
	return exec.OpenKeyboard()
}

// ready shows that the backend is ready, and opens a URL of it unless that is empty.
func (r *run) ready(processes []abi.ReadyProcess, open string) {
	if r.mode.preview() != nil {
		return
	}
	reporter, first := r.session.opts.Reporter, ""
	for _, p := range processes {
		text := "ready"
		if p.Name != "" {
			text = p.Name + " is ready"
		}
		if p.URL != "" {
			text += " at " + p.URL
		}
		reporter.Log(r.module.ID, abi.LevelInfo, text)
		first = cmp.Or(first, p.URL)
	}
	switch {
	case open != "":
		if err := r.session.opts.OpenURL(open); err != nil {
			reporter.Warn(fmt.Errorf("cannot open %s: %w", open, err))
		}
	case r.opens() && first != "":
		reporter.Warn(fmt.Errorf("cannot open %s: it is not a URL of this machine", first))
	}
	r.reported = first != ""
}

// opens reports whether the run opens a URL of the backend.
func (r *run) opens() bool {
	return r.session.opts.OpenURL != nil && r.mode.preview() == nil
}

// warnNotOpened warns if the backend reported nothing to open.
func (r *run) warnNotOpened() {
	if r.opens() && !r.reported {
		r.session.opts.Reporter.Warn(errors.New("nothing was opened: the backend did not become ready with a URL"))
	}
}
