package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

// sendFiles sends data with descriptors, which go with its first byte, and returns
// how much of the data was sent.
func sendFiles(line *os.File, data []byte, files []*os.File) (sent int, err error) {
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	conn, err := line.SyscallConn()
	if err != nil {
		return 0, err
	}
	var sendErr error
	err = conn.Write(func(fd uintptr) bool {
		sent, sendErr = unix.SendmsgN(int(fd), data, unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL)
		return sendErr != unix.EAGAIN
	})
	return sent, errors.Join(err, sendErr)
}

// received reads what a guard sends, and keeps the last descriptor that came with it.
type received struct {
	line *os.File
	file *os.File // nil for none; the reader of the messages takes it
}

// Read implements [io.Reader].
func (r *received) Read(data []byte) (n int, err error) {
	conn, err := r.line.SyscallConn()
	if err != nil {
		return 0, err
	}
	control, size := make([]byte, unix.CmsgSpace(4)), 0
	var readErr error
	err = conn.Read(func(fd uintptr) bool {
		n, size, _, _, readErr = unix.Recvmsg(int(fd), data, control, unix.MSG_CMSG_CLOEXEC)
		return readErr != unix.EAGAIN
	})
	switch {
	case err != nil:
		return 0, err
	case readErr != nil:
		return 0, readErr
	case n == 0:
		return 0, io.EOF
	}
	return n, r.keep(control[:size])
}

func (r *received) keep(control []byte) error {
	messages, err := unix.ParseSocketControlMessage(control)
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return err
		}
		for _, fd := range fds {
			if err := unix.SetNonblock(fd, true); err != nil {
				return err
			}
			r.take().Close()
			r.file = os.NewFile(uintptr(fd), "listener")
		}
	}
	return err
}

// take returns the descriptor, nil for none.
func (r *received) take() *os.File {
	file := r.file
	r.file = nil
	return file
}

// guardMessage is one message of a guard.
type guardMessage struct {
	letter byte
	number int
}

func readMessage(in *bufio.Reader) (m guardMessage, err error) {
	m.letter, err = in.ReadByte()
	if err != nil || m.letter == guard.Stopped || m.letter == guard.Empty || m.letter == guard.Listens {
		return m, err
	}
	number := make([]byte, 4)
	_, err = io.ReadFull(in, number)
	m.number = int(binary.LittleEndian.Uint32(number))
	return m, err
}
