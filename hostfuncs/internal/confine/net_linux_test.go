package confine

import (
	"net"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

var noSeccomp = guards{skip: "seccomp"}

// tcpServer listens on a port of its own, MPTCP and Fast Open included.
func tcpServer(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// freePort is a port without a server.
func freePort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

func TestNet(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		good, bad, free := tcpServer(t), tcpServer(t), freePort(t)
		text := func(n uint16) string { return strconv.Itoa(int(n)) }
		connect, listen := Rules{Connect: []uint16{good}}, Rules{Listen: []uint16{free}}
		socket := func(domain, kind, protocol int) []string {
			return []string{"socket", strconv.Itoa(domain), strconv.Itoa(kind), strconv.Itoa(protocol)}
		}
		noTCP := guards{landlock: TCPABI - 1}
		p.checkAttempts(t, []attempt{
			{name: "connect to a port", argv: []string{"tcp", text(good)}, more: connect, want: "ok"},
			{name: "connect to another", argv: []string{"tcp", text(bad)}, more: connect, want: "EACCES", away: noTCP, bare: "ok"},
			{name: "connect to what may be listened on", argv: []string{"tcp", text(good)}, more: Rules{Listen: []uint16{good}},
				want: "EACCES", away: noTCP, bare: "ok"},
			{name: "connect with any port", argv: []string{"tcp", text(bad)}, more: Rules{AnyConnect: true}, want: "ok"},
			{name: "connect with any port to listen on", argv: []string{"tcp", text(bad)}, more: Rules{AnyListen: true}, want: "EACCES"},
			{name: "connect with any network", argv: []string{"tcp", text(bad)}, more: Rules{AnyNet: true}, want: "ok"},
			{name: "connect without rules", argv: []string{"tcp", text(good)}, want: "EACCES", away: guards{skip: "seccomp landlock"}, bare: "ok"},
			{name: "listen on a port", argv: []string{"bind", text(free)}, more: listen, want: "ok"},
			{name: "listen on another", argv: []string{"bind", text(free)}, more: Rules{Listen: []uint16{free - 1}},
				want: "EACCES", away: noTCP, bare: "ok"},
			{name: "listen on any", argv: []string{"bind", "0"}, more: Rules{Listen: []uint16{0}}, want: "ok"},
			{name: "listen without rules for it", argv: []string{"bind", "0"}, more: connect, want: "EACCES", away: guards{skip: "seccomp landlock"}, bare: "ok"},
			{name: "listen without a port", argv: []string{"listen"}, more: connect, want: "EACCES", away: noSeccomp, bare: "ok"},

			{name: "MPTCP", argv: []string{"mptcp", text(bad)}, more: connect, want: "EPROTONOSUPPORT", away: noSeccomp, bare: mptcpWithout()},
			{name: "Fast Open", argv: []string{"fastopen", text(bad)}, more: connect, want: "ENOTSUP", away: noSeccomp, bare: "ok"},
			{name: "UDP", argv: socket(unix.AF_INET, unix.SOCK_DGRAM, 0), more: connect, want: "EACCES", away: noSeccomp, bare: "ok"},
			{name: "UDP over IPv6", argv: socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, unix.IPPROTO_UDP), more: connect,
				want: "EACCES", away: noSeccomp, bare: "ok"},
			{name: "UDP allowed", argv: socket(unix.AF_INET, unix.SOCK_DGRAM, 0), more: Rules{UDP: true}, want: "ok"},
			{name: "TCP with UDP alone", argv: socket(unix.AF_INET, unix.SOCK_STREAM, 0), more: Rules{UDP: true}, want: "EACCES", away: noSeccomp, bare: "ok"},
			{name: "raw", argv: socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP), more: connect, want: "EACCES", rootOnly: true,
				away: guards{skip: "seccomp capabilities"}, bare: "ok"},
			{name: "raw with any network", argv: socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP), more: Rules{AnyNet: true}, want: "EPERM", rootOnly: true,
				away: guards{skip: "capabilities"}, bare: "ok"},
			{name: "packets", argv: socket(unix.AF_PACKET, unix.SOCK_RAW, 0), more: Rules{AnyNet: true}, want: "EAFNOSUPPORT", rootOnly: true,
				away: guards{skip: "seccomp capabilities"}, bare: socketWithout(unix.AF_PACKET, unix.SOCK_RAW)},
			{name: "vsock", argv: socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0), more: Rules{AnyNet: true}, want: "EAFNOSUPPORT",
				away: noSeccomp, bare: socketWithout(unix.AF_VSOCK, unix.SOCK_STREAM)},
			{name: "routes", argv: socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE), more: connect, want: "ok"},
			{name: "routes without a network", argv: socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE), want: "EACCES", away: noSeccomp, bare: "ok"},
			{name: "other netlink", argv: socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_GENERIC), more: connect, want: "EAFNOSUPPORT", away: noSeccomp, bare: "ok"},
		})
	})
}

// mptcpWithout is the result of MPTCP without a filter.
func mptcpWithout() string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	if err != nil {
		return outcome(err)
	}
	_ = unix.Close(fd)
	return "ok"
}

// socketWithout is the result of a type of socket without a filter: not every kernel has
// all of them.
func socketWithout(domain, kind int) string {
	fd, err := unix.Socket(domain, kind, 0)
	if err != nil {
		return outcome(err)
	}
	_ = unix.Close(fd)
	return "ok"
}
