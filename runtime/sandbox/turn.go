package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// turn is the start of a module or a call of an export. A module is deterministic:
// another process of it that is given the same turns gets to the same point.
type turn struct {
	kind  frame.Kind
	parts [][]byte
	asked []asked
	reply [sha256.Size]byte
}

// asked is a request that an interpreted module made, and the host's reply.
type asked struct {
	request [sha256.Size]byte // of the whole frame
	reply   []byte
}

const (
	// interpretFor is the most processor time that an interpreted module may take in a
	// turn. Compiling takes about as long, so more would be a loss.
	interpretFor = time.Second
	// maxPast is how many bytes are kept of what an interpreted module was given.
	maxPast = 32 << 20
)

// errOutgrown says that a module needs more than the interpreter gives it.
var errOutgrown = errors.New("the module outgrew the interpreter")

// errDiffers says that compiled code does not do what the interpreter did.
var errDiffers = errors.New("its compiled code behaves differently from the interpreter")

// take runs a turn of the module. A module that outgrows the interpreter continues in
// compiled code.
func (m *Module) take(ctx context.Context, kind frame.Kind, parts ...[]byte) (reply []byte, err error) {
	t := &turn{kind: kind, parts: parts}
	if m.compiled {
		return m.exchange(ctx, t)
	}
	for i, part := range parts {
		t.parts[i] = bytes.Clone(part) // it is the caller's
		m.past += len(part)
	}
	m.turns = append(m.turns, t)
	if reply, err = m.exchange(ctx, t); errors.Is(err, errOutgrown) {
		return m.goOn(ctx)
	}
	t.reply = sha256.Sum256(reply)
	return reply, err
}

// goOn continues in compiled code. A new process gets the same turns, and the same replies
// to its requests, until it reaches the point where the interpreter ended. The host is not
// asked again.
func (m *Module) goOn(ctx context.Context) (reply []byte, err error) {
	m.behind.end()
	if m.waiting != nil {
		// The run may have been silent for a second already.
		m.waiting(true)
	}
	loaded, err := m.loadCompiled(ctx)
	if err != nil {
		return nil, err
	}
	if m.dir != "" && loaded.Warning != "" {
		m.warnOfCache(errors.New(loaded.Warning))
	}
	turns := m.turns
	m.turns, m.log.skip = nil, m.log.added
	for i, t := range turns {
		if reply, err = m.exchange(ctx, t); err != nil {
			return nil, err
		}
		if i < len(turns)-1 && sha256.Sum256(reply) != t.reply {
			return nil, m.settle(errDiffers)
		}
	}
	return reply, nil
}

// led returns the reply to a request of the compiled code, by its place in the turn, if the
// interpreter made the same request.
func (t *turn) led(place int, request []byte) (reply []byte, ok bool, err error) {
	if place >= len(t.asked) {
		return nil, false, nil
	}
	if t.asked[place].request != sha256.Sum256(request) {
		return nil, false, errDiffers
	}
	return t.asked[place].reply, true, nil
}

// ended returns an error if a turn ends with fewer requests than the interpreter made.
func (t *turn) ended(requests int) error {
	if requests < len(t.asked) {
		return errDiffers
	}
	return nil
}

// remember keeps what an interpreted module asked for.
func (m *Module) remember(t *turn, request, reply []byte) {
	t.asked = append(t.asked, asked{sha256.Sum256(request), reply})
	m.past += len(reply)
}
