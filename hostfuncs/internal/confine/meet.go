package confine

import (
	"slices"
	"strings"
)

// And narrows rules by others: what both allow is allowed. It is best effort
// only if both are.
func (r Rules) And(other Rules) Rules {
	both := Rules{
		AnyFiles:   r.AnyFiles && other.AnyFiles,
		AnyNet:     r.AnyNet && other.AnyNet,
		UDP:        r.udp() && other.udp(),
		AnyConnect: r.anyConnect() && other.anyConnect(), AnyListen: r.anyListen() && other.anyListen(),
		AnySockets: r.AnySockets && other.AnySockets,
		BestEffort: r.BestEffort && other.BestEffort,
	}
	switch {
	case r.AnyFiles:
		both.Read, both.Write, both.Exec, both.List = other.Read, other.Write, other.Exec, other.List
	case other.AnyFiles:
		both.Read, both.Write, both.Exec, both.List = r.Read, r.Write, r.Exec, r.List
	default:
		both.Read = meet(r.readable(), other.readable())
		both.Write, both.Exec = meet(r.Write, other.Write), meet(r.Exec, other.Exec)
		// What both let be read is in Read already.
		both.List = union(meet(r.List, other.listable()), meet(r.readable(), other.List))
	}
	both.Connect = meetPorts(r.Connect, r.anyConnect(), other.Connect, other.anyConnect())
	both.Listen = meetPorts(r.Listen, r.anyListen(), other.Listen, other.anyListen())
	if both.AnyNet {
		both.UDP, both.AnyConnect, both.AnyListen = false, false, false
	}
	switch {
	case r.AnySockets:
		both.Sockets = other.Sockets
	case other.AnySockets:
		both.Sockets = r.Sockets
	default:
		both.Sockets = meet(r.Sockets, other.Sockets)
	}
	return both
}

func (r Rules) readable() []string { return slices.Concat(r.Read, r.Write, r.Exec) }

func (r Rules) listable() []string { return slices.Concat(r.readable(), r.List) }

func (r Rules) udp() bool        { return r.AnyNet || r.UDP }
func (r Rules) anyConnect() bool { return r.AnyNet || r.AnyConnect }
func (r Rules) anyListen() bool  { return r.AnyNet || r.AnyListen }

// meetPorts are those of two lists, either of which may be all ports.
func meetPorts(a []uint16, allOfA bool, b []uint16, allOfB bool) []uint16 {
	switch {
	case allOfA:
		return b
	case allOfB:
		return a
	}
	var both []uint16
	for _, port := range a {
		if slices.Contains(b, port) {
			both = append(both, port)
		}
	}
	return both
}

// meet lists what is in both of two lists of files, and directories with all below.
func meet(a, b []string) []string {
	var both []string
	for _, x := range a {
		for _, y := range b {
			if within(x, y) {
				both = append(both, x)
			} else if within(y, x) {
				both = append(both, y)
			}
		}
	}
	return union(both, nil)
}

func within(name, directory string) bool {
	return name == directory || directory == "/" || strings.HasPrefix(name, directory+"/")
}
