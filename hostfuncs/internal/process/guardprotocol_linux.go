package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/wire"
)

// The guard protocol. A message is a letter; some have a number of 32 bits after
// it, and the last two as many bytes after that.
const (
	guardStarted     = 'p' // the program runs, with this pid
	guardFailed      = 'f' // it could not be started: this system error
	guardNotConfined = 'c' // it was not started because it could not be confined: this system error
	guardStopped     = 's' // it has stopped
	guardExited      = 'x' // it has ended, with this wait status
	guardLast        = 'l' // the same, and nothing of the tree is left
	guardEmpty       = 'e' // nothing of the tree is left
	guardMore        = 'o' // the tree uses more than is reported
	guardUsed        = 'u' // the tree uses this, an encoded confine.Use
	guardMissed      = 'm' // uses are not reported, for this reason
)

// guardPlan is what a guard is to run. It is sent over the line, because a
// command's environment must not affect the guard.
type guardPlan struct {
	program, dir string
	argv, env    []string
	// is identifies the file at guardProgram; the zero identity means none.
	is identity
	// how the program is run, and whether its directory is open at guardDir.
	how    runBy
	opened bool
	// group is the process group to join, 0 for one of the program's own.
	group  uint64
	limits Limits
	// confine restricts the program, nil for no restriction.
	confine *confine.Rules
	// watch says that the guard reports what the tree uses.
	watch   bool
	daemons []Daemon
}

// runBy is how a program is run.
type runBy uint64

const (
	byPath       runBy = iota
	byDescriptor       // the program does not inherit it
	byOpenFile         // by a descriptor that the interpreter inherits
)

// maxGuardPlan is more than the kernel accepts of arguments and variables.
const maxGuardPlan = 64 << 20

func (p *guardPlan) numbers() []*uint64 {
	return []*uint64{
		&p.group, &p.limits.OpenFiles, &p.limits.Processes,
		&p.is.device, &p.is.inode, &p.is.size, &p.is.modified, &p.is.changed, (*uint64)(&p.how),
	}
}

func (p *guardPlan) flags() []*bool { return []*bool{&p.opened, &p.watch} }

// encode writes the plan with its size before it.
func (p guardPlan) encode() []byte {
	data := wire.AppendText(wire.AppendText(make([]byte, 4), p.program), p.dir)
	data = wire.AppendTexts(wire.AppendTexts(data, p.argv), p.env)
	for _, n := range p.numbers() {
		data = binary.AppendUvarint(data, *n)
	}
	for _, flag := range p.flags() {
		data = append(data, 0)
		if *flag {
			data[len(data)-1] = 1
		}
	}
	var rules []byte // never empty if there are rules
	if p.confine != nil {
		rules = p.confine.Encode()
	}
	data = wire.AppendText(data, string(rules))
	data = binary.AppendUvarint(data, uint64(len(p.daemons)))
	for _, d := range p.daemons {
		data = wire.AppendTexts(wire.AppendText(data, d.Program), d.Args)
	}
	binary.LittleEndian.PutUint32(data, uint32(len(data)-4))
	return data
}

var errGuardPlan = errors.New("not a plan for a guard")

func readGuardPlan(r *bufio.Reader) (guardPlan, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return guardPlan{}, err
	}
	size := binary.LittleEndian.Uint32(head)
	if size > maxGuardPlan {
		return guardPlan{}, errGuardPlan
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return guardPlan{}, err
	}
	return decodeGuardPlan(data)
}

func decodeGuardPlan(data []byte) (p guardPlan, err error) {
	in := wire.NewReader(data)
	p.program, p.dir, p.argv, p.env = in.Text(), in.Text(), in.Texts(), in.Texts()
	for _, n := range p.numbers() {
		*n = in.Number()
	}
	for _, flag := range p.flags() {
		*flag = in.Number() == 1
	}
	rules := in.Text()
	for range in.Count() {
		p.daemons = append(p.daemons, Daemon{Program: in.Text(), Args: in.Texts()})
	}
	if in.Done() != nil || p.how > byOpenFile {
		return guardPlan{}, errGuardPlan
	}
	if rules != "" {
		decoded, err := confine.Decode([]byte(rules))
		if err != nil {
			return guardPlan{}, err
		}
		p.confine = &decoded
	}
	return p, nil
}

// say sends a message with one write, since several threads send. If the connection
// is closed the message is lost, and listen ends the guard.
func (g *guard) say(letter byte, number ...int) {
	message := []byte{letter}
	for _, n := range number {
		message = binary.LittleEndian.AppendUint32(message, uint32(n))
	}
	_, _ = g.line.Write(message)
}

func (g *guard) sendText(letter byte, text []byte) {
	message := binary.LittleEndian.AppendUint32([]byte{letter}, uint32(len(text)))
	_, _ = g.line.Write(append(message, text...))
}

// guardMessage is one message of a guard.
type guardMessage struct {
	letter byte
	number int
	text   []byte
}

// read returns the next message about the program's state. Messages about what the
// tree uses go to the watcher.
func (s *supervisor) read(in *bufio.Reader) (guardMessage, error) {
	for {
		m, err := readMessage(in)
		switch {
		case err != nil:
			return m, err
		case m.letter == guardUsed:
			use, err := confine.DecodeUse(m.text)
			if err != nil {
				return m, err
			}
			s.watcher.Used(use)
		case m.letter == guardMore:
			s.watcher.More()
		case m.letter == guardMissed:
			s.watcher.Missed(string(m.text))
		default:
			return m, nil
		}
	}
}

func readMessage(in *bufio.Reader) (m guardMessage, err error) {
	if m.letter, err = in.ReadByte(); err != nil || m.letter == guardStopped || m.letter == guardEmpty || m.letter == guardMore {
		return m, err
	}
	buf := make([]byte, 4)
	if _, err = io.ReadFull(in, buf); err != nil {
		return m, err
	}
	m.number = int(binary.LittleEndian.Uint32(buf))
	if m.letter == guardUsed || m.letter == guardMissed {
		if m.number > confine.MaxUse {
			return m, errGuardLine
		}
		m.text = make([]byte, m.number)
		_, err = io.ReadFull(in, m.text)
	}
	return m, err
}

var errGuardLine = errors.New("not a message of a guard")
