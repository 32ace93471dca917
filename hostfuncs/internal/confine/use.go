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
	UseRead    UseKind = 'r' // a file was opened for reading, or run
	UseList    UseKind = 'l' // a directory was opened
	UseWrite   UseKind = 'w' // an existing file was opened for writing
	UseMake    UseKind = 'm' // something was created, removed or renamed in a directory
	UseMkdir   UseKind = 'd' // this directory was created
	UseSocket  UseKind = 's' // a Unix socket was connected to
	UseConnect UseKind = 'c' // a TCP port was connected to, of any machine
	UseListen  UseKind = 'b' // a TCP port was bound, 0 for one that the system chooses
	UseUDP     UseKind = 'u' // UDP was sent to or received on a port
)

var useKinds = []UseKind{UseRead, UseList, UseWrite, UseMake, UseMkdir, UseSocket, UseConnect, UseListen, UseUDP}

// Use is a file, port or socket that a program used.
type Use struct {
	Kind UseKind
	// Path is a file, directory or socket: absolute, clean and without links. A
	// socket without a file has the name that the kernel shows, with @ before it. All
	// files of a process in /proc are reported as /proc.
	Path string
	// Port is for the kinds that have one.
	Port uint16
}

// maxPath is the longest path that Linux accepts, in bytes.
const maxPath = 4096

// MaxUse is the largest size of an encoded use, in bytes.
const MaxUse = 3 + maxPath

// Encode returns the use as [DecodeUse] reads it: a byte for the kind, two for the
// port, and the path.
func (u Use) Encode() []byte {
	return append(binary.LittleEndian.AppendUint16([]byte{byte(u.Kind)}, u.Port), u.Path...)
}

// MaxUses is how many different uses a watch reports. The directories of so many
// files describe a program well enough.
const MaxUses = 100_000

var errUse = errors.New("not a use of a file, port or socket")

// DecodeUse reads what [Use.Encode] wrote, and nothing else.
func DecodeUse(data []byte) (Use, error) {
	if len(data) < 3 || len(data) > MaxUse || !slices.Contains(useKinds, UseKind(data[0])) {
		return Use{}, errUse
	}
	return Use{Kind: UseKind(data[0]), Port: binary.LittleEndian.Uint16(data[1:]), Path: string(data[3:])}, nil
}

// Allows reports whether the rules allow a use, as if each of their paths existed. It
// is pure.
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
