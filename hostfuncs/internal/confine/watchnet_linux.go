package confine

import (
	"encoding/binary"
	"io/fs"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// dnsPort is the port for looking up names.
const dnsPort = 53

// connect is for connections, also those that fail.
func (l looker) connect() []Use {
	address, ok := l.address()
	switch {
	case !ok:
		return nil
	case address.unix != "":
		return l.connectUnix(address.unix)
	case address.port == 0:
		return nil // the call fails
	case address.stream:
		return []Use{{Kind: UseConnect, Port: address.port}}
	case address.ip.IsLoopback() && address.port != dnsPort:
		// The C library does this to sort addresses, and sends nothing.
		return nil
	}
	return []Use{{Kind: UseUDP, Port: address.port}}
}

func (l looker) connectUnix(name string) []Use {
	if strings.HasPrefix(name, "@") {
		return []Use{{Kind: UseSocket, Path: name}}
	}
	at, info, ok := l.lookUp(named{dir: unix.AT_FDCWD, path: name}, true)
	if !ok || info == nil || info.Mode()&fs.ModeSocket == 0 {
		return nil
	}
	return []Use{{Kind: UseSocket, Path: at}}
}

// bind is for addresses that are bound. Most programs that bind a TCP port listen there.
func (l looker) bind() []Use {
	address, ok := l.address()
	switch {
	case !ok, strings.HasPrefix(address.unix, "@"):
		return nil
	case address.unix != "":
		return l.make(named{dir: unix.AT_FDCWD, path: address.unix})
	case address.stream:
		return []Use{{Kind: UseListen, Port: address.port}}
	}
	return []Use{{Kind: UseUDP, Port: address.port}}
}

// address is what a call's socket is connected or bound to.
type address struct {
	unix   string // of Unix sockets, with @ before an abstract name
	ip     netip.Addr
	port   uint16
	stream bool // TCP, or MPTCP, for which a confined program gets TCP
}

// address returns false for anything but Unix sockets, TCP and UDP.
func (l looker) address() (address, bool) {
	data, errno := readAddress(l.thread, l.args[1], l.args[2])
	if errno != 0 {
		return address{}, false
	}
	switch addressFamily := binary.NativeEndian.Uint16(data); {
	case addressFamily == unix.AF_UNIX:
		return unixAddress(string(data[2:]))
	case addressFamily == unix.AF_INET && len(data) >= unix.SizeofSockaddrInet4:
		return l.internet(data, data[4:8])
	case addressFamily == unix.AF_INET6 && len(data) >= unix.SizeofSockaddrInet6-4:
		return l.internet(data, data[8:24])
	}
	return address{}, false
}

func unixAddress(name string) (address, bool) {
	if rest, ok := strings.CutPrefix(name, "\x00"); ok {
		return address{unix: "@" + rest}, rest != ""
	}
	name, _, _ = strings.Cut(name, "\x00")
	return address{unix: name}, name != ""
}

func (l looker) internet(data, ip []byte) (address, bool) {
	socket, errno := takeSocket(l.thread, int(int32(l.args[0])))
	if errno != 0 {
		return address{}, false
	}
	defer unix.Close(socket)
	kind, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_STREAM && kind != unix.SOCK_DGRAM {
		return address{}, false
	}
	addr, _ := netip.AddrFromSlice(ip)
	return address{ip: addr.Unmap(), port: binary.BigEndian.Uint16(data[2:]), stream: kind == unix.SOCK_STREAM}, true
}
