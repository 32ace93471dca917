// Package frame has the protocol between runtime/sandbox, the host, and its helper, the
// process that compiles and runs a module.
//
// A frame is one byte for its kind, a little-endian length of 32 bits, and a body of that
// length. The host sends Load, Start, then one Call at a time, and a Reply to each
// HostCall. The helper sends a Reply to Load, to Start and to each Call. During a Call it
// can send HostCall, and at any time Log. Before it ends with an error, it sends Exit. The
// helper ends when its connection ends.
//
// The helper for schemas gets one Check and sends one Reply, in the same way.
//
// Neither side trusts what it reads: each frame must have an expected kind, and a length
// within the limit of its kind, and its body must be read to the end.
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

// ProgramName is the name of the helper's process, argv[0]. A program that has it runs as
// the helper.
const ProgramName = "stagecraft-sandbox"

// SchemaName is that of the process that evaluates a schema.
const SchemaName = "stagecraft-schema"

// Kind is the kind of a frame.
type Kind byte

// The kinds of frames.
const (
	Load     Kind = 'L' // compile a module, see [LoadBody]
	Start    Kind = 'S' // run the module's start section
	Call     Kind = 'C' // run an export, see [CallBody]
	HostCall Kind = 'H' // carry out an operation, see [HostCallBody]
	Reply    Kind = 'R' // to Load a [LoadedBody], to Start nothing, to Call the output, to HostCall and Check a reply of the ABI
	Log      Kind = 'O' // output of the module, or a line of Extism's log
	Exit     Kind = 'X' // why the helper ends, see [ExitBody]
	Check    Kind = 'V' // check a value by a schema, a [CheckBody] in JSON
)

// The limits of bodies, in bytes.
const (
	MaxModule = 64 << 20
	MaxInput  = 64 << 20
	MaxOutput = 64 << 20
	MaxLog    = 8 << 10
	MaxLogs   = 1 << 20 // of all logs of a helper
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
	case Check:
		return MaxInput
	}
	return -1
}

// Error is a violation of the protocol by the other side.
type Error struct{ Reason string }

func (e *Error) Error() string { return e.Reason }

// Conn sends and receives frames. One goroutine at a time may receive, and one may send.
type Conn struct {
	in  *bufio.Reader
	out io.Writer
}

// NewConn returns a connection that reads from in and writes to out.
func NewConn(in io.Reader, out io.Writer) *Conn {
	return &Conn{bufio.NewReaderSize(in, 64<<10), out}
}

// Receive reads a frame, which must be of one of the kinds.
//
// # Errors
//
// An [*Error]; [io.EOF] if the connection ends between two frames, and
// [io.ErrUnexpectedEOF] if it ends within one.
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

// largePart is the size above which a part is written by itself, to save a copy.
const largePart = 64 << 10

// Send writes a frame. Its body consists of the parts.
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
