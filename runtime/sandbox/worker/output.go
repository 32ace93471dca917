package worker

import (
	"bytes"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// maxOutput is how much a module may print in all, in bytes. The rest is dropped
// here, since each frame costs the host a little; the host has a bound of its own.
const maxOutput = 1 << 20

// output sends what a module prints, in whole lines where they are short.
type output struct {
	conn *frame.Conn
	held []byte
	sent int
	open bool // the last line has not ended
}

// Write implements [io.Writer], and never fails: a module need not know.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	if n > 0 {
		o.open = p[n-1] != '\n'
	}
	for len(p) > 0 {
		part := p[:min(len(p), frame.MaxLog-len(o.held))]
		p = p[len(part):]
		o.held = append(o.held, part...)
		if len(o.held) == frame.MaxLog || bytes.IndexByte(part, '\n') >= 0 {
			o.flush()
		}
	}
	return n, nil
}

// line sends a line of its own.
func (o *output) line(text string) {
	if o.open {
		text = "\n" + text
	}
	_, _ = o.Write([]byte(text + "\n"))
}

func (o *output) flush() {
	if len(o.held) > 0 && o.sent < maxOutput {
		o.sent += len(o.held)
		// A connection that has ended ends the process soon.
		_ = o.conn.Send(frame.Log, o.held)
	}
	o.held = o.held[:0]
}
