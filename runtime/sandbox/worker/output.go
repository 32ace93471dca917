package worker

import (
	"bytes"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// output sends the output of a module, in whole lines if they are short. It drops the rest
// after [frame.MaxLogs] bytes.
type output struct {
	conn    *frame.Conn
	unsent  []byte
	sent    int
	midLine bool // the last line has not ended
}

// Write implements [io.Writer]. It never fails, so that a module cannot see a limit.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	if n > 0 {
		o.midLine = p[n-1] != '\n'
	}
	for len(p) > 0 {
		part := p[:min(len(p), frame.MaxLog-len(o.unsent))]
		p = p[len(part):]
		o.unsent = append(o.unsent, part...)
		if len(o.unsent) == frame.MaxLog || bytes.IndexByte(part, '\n') >= 0 {
			o.flush()
		}
	}
	return n, nil
}

// line writes text as a whole line.
func (o *output) line(text string) {
	if o.midLine {
		text = "\n" + text
	}
	_, _ = o.Write([]byte(text + "\n"))
}

func (o *output) flush() {
	part := o.unsent[:min(len(o.unsent), frame.MaxLogs-o.sent)]
	if len(part) > 0 {
		o.sent += len(part)
		// If the connection has ended, the next frame of the host ends the process.
		_ = o.conn.Send(frame.Log, part)
	}
	o.unsent = o.unsent[:0]
}
