// Package frame has the protocol between runtime/sandbox and its helper, the
// process in which a module is compiled and run.
//
// A frame is one byte for its kind, a length of 32 bits with the lowest byte
// first, and that many bytes. The host sends Load, Start, then a Call at a time,
// and a Reply to each HostCall. The helper sends a Reply to Load, Start and each
// Call, a HostCall while it is called, and Log at any time. Exit is its last frame and
// says why it gives up. A helper ends when its connection does.
//
// Each side trusts nothing that it reads: a kind must be one that is expected
// now, a length is bounded by the kind, and a body has nothing left over.
package frame

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// ProgramName is what a program is called, as its first argument, when it is the
// helper.
const ProgramName = "stagecraft-sandbox"

// Kind is the kind of a frame.
type Kind byte

// The kinds of frames.
const (
	Load     Kind = 'L' // a module and how it is compiled, see [LoadBody]
	Start    Kind = 'S' // have the module's start section run
	Call     Kind = 'C' // an export and its input, see [CallBody]
	HostCall Kind = 'H' // an operation and its request, see [HostCallBody]
	Reply    Kind = 'R' // to Load a [LoadedBody], to Start nothing, to Call an output, to HostCall a reply of the ABI
	Log      Kind = 'O' // what the module printed, or wrote to Extism's log
	Exit     Kind = 'X' // why the helper gives up, see [ExitBody]
)

// The most bytes that the body of a frame may have.
const (
	MaxModule = 64 << 20
	MaxInput  = 64 << 20
	MaxOutput = 64 << 20
	MaxLog    = 8 << 10
	MaxText   = 2 << 10 // of a reason or a warning
)

// header is the size of a kind and a length.
const header = 5

func (k Kind) max() int {
	switch k {
	case Load:
		return MaxModule + 64<<10
	case Start:
		return 0
	case Call:
		return MaxInput + 1 + 255
	case HostCall:
		return abi.MaxRequest + 1
	case Reply:
		return max(abi.MaxReply, MaxOutput)
	case Log:
		return MaxLog
	case Exit:
		return MaxText + 1
	}
	return -1
}

// Error says that the other side broke the protocol.
type Error struct{ Reason string }

func (e *Error) Error() string { return e.Reason }

// Conn sends and receives frames. Frames are received by one goroutine at a time,
// and sent by one.
type Conn struct {
	in  *bufio.Reader
	out io.Writer
}

// NewConn makes a connection of its two directions.
func NewConn(in io.Reader, out io.Writer) *Conn {
	return &Conn{bufio.NewReaderSize(in, 64<<10), out}
}

// Receive reads a frame of one of some kinds.
//
// # Errors
//
// An [*Error]; [io.EOF] where the connection ends between two frames,
// [io.ErrUnexpectedEOF] where it ends in one.
func (c *Conn) Receive(kinds ...Kind) (Kind, []byte, error) {
	var head [header]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, nil, err
	}
	kind, size := Kind(head[0]), binary.LittleEndian.Uint32(head[1:])
	if !slices.Contains(kinds, kind) {
		return 0, nil, &Error{fmt.Sprintf("unexpected frame of kind %q", byte(kind))}
	}
	if uint64(size) > uint64(kind.max()) {
		return 0, nil, &Error{fmt.Sprintf("frame of kind %q with %d bytes, at most %d are allowed", byte(kind), size, kind.max())}
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(c.in, body); errors.Is(err, io.EOF) {
		return 0, nil, io.ErrUnexpectedEOF
	} else if err != nil {
		return 0, nil, err
	}
	return kind, body, nil
}

// largePart is from how many bytes on a part is not copied in order to be written
// with what is before it.
const largePart = 64 << 10

// Send writes a frame whose body has some parts.
func (c *Conn) Send(kind Kind, parts ...[]byte) error {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if size > kind.max() {
		return &Error{fmt.Sprintf("frame of kind %q with %d bytes, at most %d are allowed", byte(kind), size, kind.max())}
	}
	message := binary.LittleEndian.AppendUint32([]byte{byte(kind)}, uint32(size))
	for _, part := range parts {
		if len(part) > largePart {
			if _, err := c.out.Write(message); err != nil {
				return err
			}
			message, part = part[:len(part):len(part)], nil
		}
		message = append(message, part...)
	}
	_, err := c.out.Write(message)
	return err
}
