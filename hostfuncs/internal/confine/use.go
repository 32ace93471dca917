package confine

import (
	"encoding/binary"
	"errors"
	"slices"
)

// UseKind is how a program used something.
type UseKind byte

// The kinds of uses.
const (
	UseRead    UseKind = 'r' // a file was opened to be read, or run
	UseList    UseKind = 'l' // a directory was opened
	UseWrite   UseKind = 'w' // a file that was there was opened to be written
	UseMake    UseKind = 'm' // something was made, removed or renamed in a directory
	UseMkdir   UseKind = 'd' // this directory was made
	UseSocket  UseKind = 's' // a Unix socket was connected to
	UseConnect UseKind = 'c' // a TCP port was connected to, of any machine
	UseListen  UseKind = 'b' // a TCP port was taken to listen on, 0 for one that the system picks
	UseUDP     UseKind = 'u' // a port was sent to or received on by UDP
)

var useKinds = []UseKind{UseRead, UseList, UseWrite, UseMake, UseMkdir, UseSocket, UseConnect, UseListen, UseUDP}

// Use is something of the system that a program used.
type Use struct {
	Kind UseKind
	// Path is of files, directories and sockets: absolute, clean and without links.
	// A socket without a file has the name that the kernel shows, with @ before
	// it. What is in /proc of a single process is /proc itself.
	Path string
	// Port is of the kinds that have one.
	Port uint16
}

// maxPath is what Linux takes of a path, in bytes.
const maxPath = 4096

// MaxUse is the most bytes that an encoded use has.
const MaxUse = 3 + maxPath

// AppendBinary appends the use as [DecodeUse] reads it: a byte for the kind, two
// for the port, and the path. There is no error; it is for
// [encoding.BinaryAppender].
func (u Use) AppendBinary(data []byte) ([]byte, error) {
	data = binary.LittleEndian.AppendUint16(append(data, byte(u.Kind)), u.Port)
	return append(data, u.Path...), nil
}

// MaxUses is how many different uses a watch tells of. A program that reads more
// files than that is known well enough by its directories.
const MaxUses = 100_000

var errUse = errors.New("this is no use of a file, port or socket")

// DecodeUse reads what [Use.AppendBinary] wrote, and nothing else.
func DecodeUse(data []byte) (Use, error) {
	if len(data) < 3 || len(data) > MaxUse || !slices.Contains(useKinds, UseKind(data[0])) {
		return Use{}, errUse
	}
	return Use{Kind: UseKind(data[0]), Port: binary.LittleEndian.Uint16(data[1:]), Path: string(data[3:])}, nil
}

// Allows tells whether a use is within the rules, as if each directory of them were
// there. It looks at nothing but its arguments.
func (r Rules) Allows(u Use) bool {
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(allowed string) bool { return within(u.Path, allowed) })
	}
	switch u.Kind {
	case UseRead:
		return r.AnyFiles || in(r.readable())
	case UseList:
		return r.AnyFiles || in(r.listable())
	case UseWrite, UseMake, UseMkdir:
		return r.AnyFiles || in(r.Write)
	case UseSocket:
		return r.AnySockets || in(r.Sockets)
	case UseConnect:
		return r.anyConnect() || slices.Contains(r.Connect, u.Port)
	case UseListen:
		return r.anyListen() || slices.Contains(r.Listen, u.Port)
	case UseUDP:
		return r.udp()
	}
	return false
}
