package confine

import (
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

// MaxUses is how many different uses a watch reports. The directories of so many
// files describe a program well enough.
const MaxUses = 100_000

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
