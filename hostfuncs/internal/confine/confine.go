// Package confine holds a process of Linux to the files, ports and sockets that
// it may use, whoever it runs as.
//
// Four parts of the kernel do it together, since each alone leaves a way out:
// capabilities are dropped (capabilities(7)), no program may add rights
// (no_new_privs), a seccomp filter refuses what reaches beyond a process
// (https://docs.kernel.org/userspace-api/seccomp_filter.html), and Landlock
// restricts files, ports and signals
// (https://docs.kernel.org/userspace-api/landlock.html).
//
// # Not held
//
// Names, sizes and times of what lies outside the allowed paths can be seen,
// and with the user's rights its mode, owner, times and extended attributes of the
// kind user.* be changed, and those be read: Landlock has no say in stat, chmod,
// chown, utime and setxattr. Only the set-user-ID bit is refused,
// except in the mode of a new file. Changes can be watched with inotify.
//
// Where /proc can be read, so can the command lines of other processes.
//
// Ports are held, addresses aren't, and UDP goes anywhere if it is allowed. A
// program that may listen on one TCP port, or on a Unix socket and connect to a
// TCP port, may listen on one that the system picks.
//
// Shared memory and semaphores of System V are open, and so are message queues,
// if they are the same user's.
//
// Threads of one's own, if a call names them by number, can be given no priority and
// no processors: a filter can't tell them from other processes.
//
// Exec is no barrier to code: an interpreter, and the loader of programs
// itself, runs what it may read, and memory can be executed as a file.
package confine

import (
	"errors"
	"fmt"
	"path"
	"slices"
)

// Rules say what a process, with all that descend from it, may do. The zero
// value allows no file, no port and no socket.
//
// Paths are absolute and without ".", ".." and links, see [Rules.Resolved]. One
// that has a link in it when the rules are applied, that doesn't exist then, or
// that can't be reached by the user, allows nothing: it isn't an error, since
// profiles name places that not every system has.
type Rules struct {
	// Read, Write and Exec are files, and directories with all below them. Write
	// includes reading, creating and removing, Exec includes reading. A device
	// can't be created.
	Read, Write, Exec []string
	// List are directories that may be listed, with all below them, whatever may be
	// read of what is in them.
	List []string
	// AnyFiles lifts the restriction of files.
	AnyFiles bool
	// Connect and Listen are ports of TCP, at any address. 0 in Listen is any
	// port that the system chooses.
	Connect, Listen []uint16
	// AnyConnect and AnyListen are all ports of TCP.
	AnyConnect, AnyListen bool
	// UDP allows sockets of UDP to anywhere, which looking up names takes.
	UDP bool
	// AnyNet lifts the restriction of IPv4 and IPv6. Other families, such as
	// vsock, stay refused.
	AnyNet bool
	// Sockets are Unix sockets, and directories of them, to connect to. From
	// [ResolveUnixABI] on, those that the confined processes make themselves
	// need not be in it. Before, an empty list refuses the whole family of
	// sockets, and another one all datagrams and abstract names in it.
	Sockets []string
	// AnySockets lifts the restriction of Unix sockets. Docker's is then
	// reachable, and with it everything.
	AnySockets bool
	// BestEffort is to apply what the system has, if it doesn't have all.
	BestEffort bool
}

// With joins two sets of rules: what either allows is allowed. It is best
// effort only if both are.
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

// Resolved are the rules with each path as resolve gives it, without links. It is
// for once, before the first process: what that may write to could lead the next
// one elsewhere. A path for which resolve has an error is left out.
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

func union[T comparable](a, b []T) []T {
	var all []T
	for _, v := range slices.Concat(a, b) {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// check finds paths that would mean something else in another directory.
func (r Rules) check() error {
	var errs []error
	for _, p := range r.paths() {
		if !path.IsAbs(p) || path.Clean(p) != p {
			errs = append(errs, fmt.Errorf("path %q is not absolute and clean", p))
		}
	}
	return errors.Join(errs...)
}

func (r Rules) paths() []string {
	return slices.Concat(r.Read, r.Write, r.Exec, r.List, r.Sockets)
}

// usesNet reports whether any socket of IPv4 or IPv6 is allowed.
func (r Rules) usesNet() bool {
	return r.AnyNet || r.UDP || r.usesTCP()
}

func (r Rules) usesTCP() bool {
	return r.anyConnect() || r.anyListen() || len(r.Connect) > 0 || len(r.Listen) > 0
}

// socketMode is how Unix sockets are held to the rules.
type socketMode int

const (
	// socketsRefused is that there are none.
	socketsRefused socketMode = iota
	// socketsAsked is that the filter asks a [Broker] about each connection.
	socketsAsked
	// socketsOpen is that the filter leaves them to Landlock, or to nobody.
	socketsOpen
)

func (r Rules) socketMode(s Support) socketMode {
	switch {
	case r.AnySockets || s.Landlock >= ResolveUnixABI:
		return socketsOpen
	case len(r.Sockets) == 0:
		return socketsRefused
	case s.Notify:
		return socketsAsked
	}
	return socketsOpen
}
