package guard

import (
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"
)

// files are the descriptors of a plan, each -1 for none.
type files struct {
	program, dir, ruleset int
	streams               [3]int
}

// maxFiles is how many descriptors come with a plan.
const maxFiles = 6

// receive reads the plan and its descriptors. These come with the first byte, and
// have numbers above that of the connection.
func receive() (p Plan, descriptors []int, err error) {
	head, control := make([]byte, 4), make([]byte, unix.CmsgSpace(maxFiles*4))
	n, size, _, err := receiveMessage(head, control)
	if err != nil || n <= 0 {
		return Plan{}, nil, errPlan
	}
	if messages, err := unix.ParseSocketControlMessage(control[:size]); err == nil && len(messages) == 1 {
		descriptors, _ = unix.ParseUnixRights(&messages[0])
	}
	if !readFull(head[n:]) {
		return Plan{}, nil, errPlan
	}
	length := binary.LittleEndian.Uint32(head)
	if length > MaxPlan {
		return Plan{}, nil, errPlan
	}
	data := make([]byte, length)
	if !readFull(data) {
		return Plan{}, nil, errPlan
	}
	p, err = DecodePlan(data)
	return p, descriptors, err
}

func receiveMessage(head, control []byte) (n, size, flags int, err error) {
	for {
		n, size, flags, _, err = unix.Recvmsg(Line, head, control, unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR {
			return n, size, flags, err
		}
	}
}

func readFull(data []byte) bool {
	for len(data) > 0 {
		n, err := unix.Read(Line, data)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return false
		}
		data = data[n:]
	}
	return true
}

// assign gives the descriptors of a plan their meaning.
func (p *Plan) assign(descriptors []int) (files, bool) {
	f := files{program: -1, dir: -1, ruleset: -1}
	slots := []*int{}
	for _, s := range []struct {
		there bool
		slot  *int
	}{
		{p.Is != (Identity{}), &f.program},
		{p.Opened, &f.dir},
		{p.Restrict != nil && p.Restrict.Ruleset, &f.ruleset},
		{true, &f.streams[0]}, {true, &f.streams[1]}, {true, &f.streams[2]},
	} {
		if s.there {
			slots = append(slots, s.slot)
		}
	}
	if len(slots) != len(descriptors) {
		return f, false
	}
	for i, fd := range descriptors {
		*slots[i] = fd
	}
	return f, true
}

// programPath is the path by which the program is run. Nobody can make the path of
// a descriptor lead elsewhere.
func (p *Plan) programPath(f files) (string, error) {
	if f.program < 0 {
		return p.Program, nil
	}
	var now unix.Stat_t
	if err := unix.Fstat(f.program, &now); err != nil {
		return "", err
	}
	if IdentityOf(&now) != p.Is {
		return "", ErrChanged
	}
	if p.How != ByPath {
		return "/proc/self/fd/" + strconv.Itoa(programFile), nil
	}
	// This is as near as can be to what the kernel opens, and the interpreter.
	if err := unix.Stat(p.Program, &now); err != nil {
		return "", err
	}
	if IdentityOf(&now) != p.Is {
		return "", ErrChanged
	}
	return p.Program, nil
}
