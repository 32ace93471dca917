package buildkit

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/runtime/plaintext"
)

// Modes are the ways of showing what a build does, as docker build has them:
// plain is for people and for logs, tty draws over itself, rawjson is for
// programs, quiet is nothing, and auto is tty on a terminal and else plain.
var Modes = []string{"auto", "plain", "tty", "quiet", "rawjson"}

// Display shows what a build does.
type Display struct {
	updates chan *client.SolveStatus
	done    chan struct{}
	mask    func(string) string
	steps   int
	current *client.Vertex // the step of [Display.Step] that goes on, nil for none
}

// NewDisplay shows on out in one of [Modes], empty for auto, until it is closed.
// mask is for all texts, since a terminal is written to directly; nil is none.
//
// # Errors
//
// Another mode, and tty where out is no terminal.
func NewDisplay(out io.Writer, mode string, mask func(string) string) (*Display, error) {
	shown, err := progressui.NewDisplay(out, progressui.DisplayMode(mode))
	if err != nil {
		return nil, fmt.Errorf("progress %q: %w", mode, err)
	}
	d := &Display{updates: make(chan *client.SolveStatus), done: make(chan struct{}), mask: mask}
	go func() {
		defer close(d.done)
		d.show(shown)
	}()
	return d, nil
}

// show shows updates. What a builder tells may be more than those who show it can
// take: then the rest goes unseen, and the build goes on.
func (d *Display) show(shown progressui.Display) {
	defer func() {
		_ = recover()
		for range d.updates {
		}
	}()
	_, _ = shown.UpdateFrom(context.Background(), d.updates)
}

// Show shows what has changed.
func (d *Display) Show(s *client.SolveStatus) {
	if d.mask != nil {
		change(s, d.mask, d.mask)
	}
	d.updates <- s
}

// Step shows a step of a builder that is none of BuildKit's, and the end of the
// one before.
func (d *Display) Step(name string) {
	d.end("")
	now := time.Now()
	d.steps++
	d.current = &client.Vertex{Digest: digest.FromString(strconv.Itoa(d.steps)), Name: plaintext.Line(name, 1000), Started: &now}
	d.Show(&client.SolveStatus{Vertexes: []*client.Vertex{d.current}})
}

// Fail shows that the step failed.
func (d *Display) Fail(err error) { d.end(plaintext.Clean(err.Error())) }

func (d *Display) end(failed string) {
	if d.current == nil {
		return
	}
	ended, now := *d.current, time.Now()
	ended.Completed, ended.Error = &now, failed
	d.current = nil
	d.Show(&client.SolveStatus{Vertexes: []*client.Vertex{&ended}})
}

// Close shows the end.
func (d *Display) Close() {
	d.end("")
	close(d.updates)
	<-d.done
}
