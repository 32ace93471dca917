// Package confine restricts a Linux process to the files, ports and sockets that it
// may use, whichever user it runs as.
//
// Four parts of the kernel enforce this together, because each alone can be bypassed:
// capabilities are dropped (capabilities(7)), no program may gain rights
// (no_new_privs), a seccomp filter refuses calls that reach beyond a process
// (https://docs.kernel.org/userspace-api/seccomp_filter.html), and Landlock
// restricts files, ports and signals
// (https://docs.kernel.org/userspace-api/landlock.html).
//
// # Limits
//
// Names, sizes and times of files outside the allowed paths are visible. Within the
// user's rights their mode, owner, times and extended attributes user.* can be
// changed, because Landlock does not control stat, chmod, chown, utime and setxattr.
// Only setting the set-user-ID bit is refused, except in the mode of a new file.
// Changes can be watched with inotify.
//
// If /proc is readable, so are the command lines of other processes.
//
// Ports are restricted, addresses are not, and UDP is unrestricted if it is allowed.
// A program that may listen on one TCP port, or on a Unix socket and connect to a
// TCP port, may listen on a port that the system chooses.
//
// Shared memory, semaphores and message queues of System V are accessible within the
// user's rights.
//
// A thread cannot set priority and processors of other threads of its process by
// number, because a filter cannot distinguish these from other processes.
//
// The right to execute is not needed to run code: an interpreter, and the loader
// itself, run any file that they can read, and memory can be executed as a file.
package confine

import (
	"errors"
	"fmt"
	"path"
	"slices"
)

// Rules say what a process and its descendants may use. The zero value allows no
// file, no port and no socket.
//
// Paths are absolute and without ".", ".." and links, see [Rules.Resolved]. A path
// that contains a link, does not exist or is not accessible to the user when the
// rules are applied allows nothing. That is not an error, because profiles contain
// paths that not every system has.
type Rules struct {
	// Read, Write and Exec are files, and directories with all below them. Write
	// includes reading, creating and removing; Exec includes reading. Devices cannot
	// be created.
	Read, Write, Exec []string
	// List are directories that may be listed, with all below them. It does not allow
	// reading the files in them.
	List []string
	// AnyFiles lifts the restriction of files.
	AnyFiles bool
	// Connect and Listen are TCP ports, at any address. 0 in Listen is any port that
	// the system chooses.
	Connect, Listen []uint16
	// AnyConnect and AnyListen allow all TCP ports.
	AnyConnect, AnyListen bool
	// UDP allows UDP to anywhere. Looking up names needs it.
	UDP bool
	// AnyNet lifts the restriction of IPv4 and IPv6. Other address families, such as
	// vsock, are always refused.
	AnyNet bool
	// Sockets are Unix sockets, and directories of them, to connect to. From
	// [ResolveUnixABI] on, sockets that the confined processes create need not be
	// listed. Before, an empty list refuses all Unix sockets, and another one
	// datagrams and abstract names.
	Sockets []string
	// AnySockets lifts the restriction of Unix sockets. This includes Docker's, which
	// gives access to everything.
	AnySockets bool
	// BestEffort applies what the system supports if it does not support all.
	BestEffort bool
}

// check refuses paths that depend on the working directory.
func (r Rules) check() error {
	var errs []error
	for _, p := range slices.Concat(r.Read, r.Write, r.Exec, r.List, r.Sockets) {
		if !path.IsAbs(p) || path.Clean(p) != p {
			errs = append(errs, fmt.Errorf("path %q is not absolute and clean", p))
		}
	}
	return errors.Join(errs...)
}

func (r Rules) usesTCP() bool {
	return r.anyConnect() || r.anyListen() || len(r.Connect) > 0 || len(r.Listen) > 0
}

// socketMode is how the filter restricts Unix sockets.
type socketMode int

const (
	socketsRefused  socketMode = iota
	socketsBrokered            // a [Broker] decides on each connection
	socketsOpen                // left to Landlock, or unrestricted
)

func (r Rules) socketMode(s Support) socketMode {
	switch {
	case r.AnySockets || s.Landlock >= ResolveUnixABI:
		return socketsOpen
	case len(r.Sockets) == 0:
		return socketsRefused
	case s.Notify:
		return socketsBrokered
	}
	return socketsOpen
}
