package worker

import (
	"bytes"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// maxOutput bounds the output of a module, in bytes. The rest is dropped here to save the
// host the frames. The host does not rely on that and has its own bound.
const maxOutput = 1 << 20

// output sends the output of a module, in whole lines if they are short.
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
	if len(o.unsent) > 0 && o.sent < maxOutput {
		o.sent += len(o.unsent)
		// If the connection has ended, the next frame of the host ends the process.
		_ = o.conn.Send(frame.Log, o.unsent)
	}
	o.unsent = o.unsent[:0]
}
