package confine

import (
	"slices"
	"strings"
)

// With returns rules that allow what either allows. They are best effort only if both
// are.
func (r Rules) With(other Rules) Rules {
	return Rules{
		Read: union(r.Read, other.Read), Write: union(r.Write, other.Write), Exec: union(r.Exec, other.Exec),
		List:     union(r.List, other.List),
		AnyFiles: r.AnyFiles || other.AnyFiles,
		Connect:  union(r.Connect, other.Connect), Listen: union(r.Listen, other.Listen),
		AnyConnect: r.AnyConnect || other.AnyConnect, AnyListen: r.AnyListen || other.AnyListen,
		UDP: r.UDP || other.UDP, AnyNet: r.AnyNet || other.AnyNet,
		Sockets: union(r.Sockets, other.Sockets), AnySockets: r.AnySockets || other.AnySockets,
		BestEffort: r.BestEffort && other.BestEffort,
	}
}

// Resolved returns the rules with the links of each path resolved. It must be called
// once, before the first process, which could change the links that it may write
// to. A path that resolve cannot resolve is left out.
func (r Rules) Resolved(resolve func(string) (string, error)) Rules {
	for _, list := range r.pathLists() {
		var resolved []string
		for _, p := range *list {
			if target, err := resolve(p); err == nil {
				resolved = append(resolved, target)
			}
		}
		*list = union(resolved, nil)
	}
	return r
}

func (r *Rules) pathLists() []*[]string {
	return []*[]string{&r.Read, &r.Write, &r.Exec, &r.List, &r.Sockets}
}

func union[T comparable](a, b []T) []T {
	var all []T
	for _, v := range slices.Concat(a, b) {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// And returns rules that allow what both allow. They are best effort only if both are.
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
		both.Read = intersect(r.readable(), other.readable())
		both.Write, both.Exec = intersect(r.Write, other.Write), intersect(r.Exec, other.Exec)
		// Directories that both allow reading are in Read already.
		both.List = union(intersect(r.List, other.listable()), intersect(r.readable(), other.List))
	}
	both.Connect = intersectPorts(r.Connect, r.anyConnect(), other.Connect, other.anyConnect())
	both.Listen = intersectPorts(r.Listen, r.anyListen(), other.Listen, other.anyListen())
	if both.AnyNet {
		both.UDP, both.AnyConnect, both.AnyListen = false, false, false
	}
	switch {
	case r.AnySockets:
		both.Sockets = other.Sockets
	case other.AnySockets:
		both.Sockets = r.Sockets
	default:
		both.Sockets = intersect(r.Sockets, other.Sockets)
	}
	return both
}

func (r Rules) readable() []string { return slices.Concat(r.Read, r.Write, r.Exec) }

func (r Rules) listable() []string { return slices.Concat(r.readable(), r.List) }

func (r Rules) udp() bool        { return r.AnyNet || r.UDP }
func (r Rules) anyConnect() bool { return r.AnyNet || r.AnyConnect }
func (r Rules) anyListen() bool  { return r.AnyNet || r.AnyListen }

// intersectPorts returns the ports in both lists, either of which may be all ports.
func intersectPorts(a []uint16, allOfA bool, b []uint16, allOfB bool) []uint16 {
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

// intersect returns what two lists of files, and directories with all below, share.
func intersect(a, b []string) []string {
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

// within reports whether a path is a directory or below it.
func within(name, directory string) bool {
	return name == directory || directory == "/" || strings.HasPrefix(name, directory+"/")
}
