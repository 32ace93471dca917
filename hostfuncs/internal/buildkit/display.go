package buildkit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/opencontainers/go-digest"
	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Modes are the ways to show progress, as in docker build: plain for logs, tty redraws,
// rawjson for programs, quiet shows nothing, and auto is tty on a terminal, else plain.
var Modes = []string{"auto", "plain", "tty", "quiet", "rawjson"}

// Display shows the progress of a build.
type Display struct {
	updates chan *client.SolveStatus
	done    chan struct{}
	mask    func(string) string
	steps   int
	current *client.Vertex // the current step of [Display.Step], nil for none
	streams bool           // output stays visible
}

// Display shows the steps of a build until it is closed.
//
// # Errors
//
// An unknown mode, and tty if Out is not a terminal.
func (p Progress) Display() (*Display, error) {
	shown, err := progressui.NewDisplay(withoutSummary(p.Out), progressui.DisplayMode(p.Mode))
	if err != nil {
		return nil, fmt.Errorf("progress %q: %w", p.Mode, err)
	}
	d := &Display{updates: make(chan *client.SolveStatus), done: make(chan struct{}), mask: p.Mask, streams: streams(p.Out, p.Mode)}
	go func() {
		defer close(d.done)
		d.show(shown)
	}()
	return d, nil
}

// Streams reports whether all output of the steps stays visible.
func (d *Display) Streams() bool { return d.streams }

func streams(out io.Writer, mode string) bool {
	if mode != "" && mode != "auto" {
		return mode == "plain"
	}
	f, ok := out.(terminalFile)
	return !ok || !term.IsTerminal(int(f.Fd()))
}

// withoutSummary omits the final summary of failed steps, which the error repeats.
func withoutSummary(out io.Writer) io.Writer {
	if f, ok := out.(terminalFile); ok {
		return &cutFile{f, cut{to: f}}
	}
	return &cut{to: out}
}

// terminalFile is what BuildKit accepts as a terminal.
type terminalFile interface {
	io.ReadWriteCloser
	Fd() uintptr
	Name() string
}

// cutFile is a cut of a terminalFile.
type cutFile struct {
	terminalFile
	cut cut
}

func (f *cutFile) Write(p []byte) (int, error) { return f.cut.Write(p) }

// cut passes on what is written before the first line of a summary, which is a separate
// Write. Output of programs never is: it has a step number before it, or its line break
// in another Write.
type cut struct {
	to   io.Writer
	over bool
}

func (c *cut) Write(p []byte) (int, error) {
	if c.over = c.over || string(p) == "------\n"; c.over {
		return len(p), nil
	}
	return c.to.Write(p)
}

// show shows updates. If the display panics, the build continues without it.
func (d *Display) show(shown progressui.Display) {
	defer func() {
		_ = recover()
		for range d.updates {
		}
	}()
	_, _ = shown.UpdateFrom(context.Background(), d.updates)
}

// Show shows an update.
func (d *Display) Show(s *client.SolveStatus) {
	if d.mask != nil {
		change(s, d.mask, d.mask)
	}
	d.updates <- s
}

// Step shows the next step of another builder, and the end of the previous one.
func (d *Display) Step(name string) {
	d.end("")
	now := time.Now()
	d.steps++
	d.current = &client.Vertex{Digest: digest.FromString(strconv.Itoa(d.steps)), Name: termtext.Line(name, 1000), Started: &now}
	d.Show(&client.SolveStatus{Vertexes: []*client.Vertex{d.current}})
}

// Fail shows that the step failed.
func (d *Display) Fail(err error) { d.end(termtext.Clean(err.Error())) }

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

// Progress is where and how a build shows its progress.
type Progress struct {
	Out  io.Writer
	Mode string // one of [Modes], empty for auto
	// Mask masks secret values in all texts; nil masks nothing.
	Mask func(string) string
}

// Lines shows a step of a builder that reports its progress as lines, each in one
// Write.
func (p Progress) Lines(name string) io.Writer {
	mask := p.Mask
	if mask == nil {
		mask = func(text string) string { return text }
	}
	switch p.Mode {
	case "quiet":
		return io.Discard
	case "rawjson":
		return newRawLines(p.Out, name, mask)
	}
	return maskedLines{p.Out, mask}
}

// ShowsLines reports whether the user sees the output of [Progress.Lines] as
// text.
func (p Progress) ShowsLines() bool { return p.Mode != "quiet" && p.Mode != "rawjson" }

type maskedLines struct {
	to   io.Writer
	mask func(string) string
}

func (m maskedLines) Write(p []byte) (int, error) {
	_, err := io.WriteString(m.to, m.mask(string(p)))
	return len(p), err
}

// rawLines writes lines as messages of the mode rawjson.
type rawLines struct {
	to   *json.Encoder
	mask func(string) string
	step digest.Digest
}

func newRawLines(out io.Writer, name string, mask func(string) string) *rawLines {
	l := &rawLines{to: json.NewEncoder(out), mask: mask, step: digest.FromString(name)}
	now := time.Now()
	_ = l.to.Encode(client.SolveStatus{Vertexes: []*client.Vertex{
		{Digest: l.step, Name: mask(termtext.Line(name, 1000)), Started: &now},
	}})
	return l
}

func (l *rawLines) Write(p []byte) (int, error) {
	text := l.mask(termtext.Clean(string(p)))
	return len(p), l.to.Encode(client.SolveStatus{Logs: []*client.VertexLog{
		{Vertex: l.step, Stream: 1, Data: []byte(text), Timestamp: time.Now()},
	}})
}
