package confine

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// freePort is one that nobody listens on.
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
		socket := func(family, kind, protocol int) []string {
			return []string{"socket", strconv.Itoa(family), strconv.Itoa(kind), strconv.Itoa(protocol)}
		}
		noTCP := guards{landlock: TCPABI - 1}
		p.checkAttempts(t, []attempt{
			{name: "connect to a port", argv: []string{"tcp", text(good)}, more: connect, want: "ok"},
			{name: "connect to another", argv: []string{"tcp", text(bad)}, more: connect, want: "EACCES", away: noTCP, bare: "ok"},
			{name: "connect to what may be listened on", argv: []string{"tcp", text(good)}, more: Rules{Listen: []uint16{good}},
				want: "EACCES", away: noTCP, bare: "ok"},
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

// mptcpWithout is what MPTCP gives where nobody refuses it.
func mptcpWithout() string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	if err != nil {
		return outcome(err)
	}
	_ = unix.Close(fd)
	return "ok"
}

// socketWithout is what a kind of socket gives where nobody refuses it; not
// every kernel has them all.
func socketWithout(family, kind int) string {
	fd, err := unix.Socket(family, kind, 0)
	if err != nil {
		return outcome(err)
	}
	_ = unix.Close(fd)
	return "ok"
}

// unixServer listens on a socket that everybody may connect to.
func unixServer(t *testing.T, name string) {
	t.Helper()
	l, err := net.Listen("unix", name)
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	if name[0] != '@' {
		must(t, os.Chmod(name, 0o666))
	}
}

func TestSockets(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		docker, other, abstract := filepath.Join(p.out, "docker.sock"), filepath.Join(p.out, "other.sock"), "@confine-"+filepath.Base(p.root)
		for _, name := range []string{docker, other, abstract} {
			unixServer(t, name)
		}
		// Until Linux 7.1 one socket can't be told from another.
		listed := Rules{Sockets: []string{docker}, BestEffort: true}
		one := attempt{name: "another than listed", argv: []string{"unix", other}, more: listed, want: "ok"}
		if Probe().Landlock >= ResolveUnixABI {
			one.want, one.away, one.bare = "EACCES", guards{landlock: ResolveUnixABI - 1}, "ok"
		}
		dgram := strconv.Itoa(unix.SOCK_DGRAM)
		p.checkAttempts(t, []attempt{
			one,
			{name: "listed", argv: []string{"unix", docker}, more: listed, want: "ok"},
			{name: "Docker's", argv: []string{"unix", docker}, want: "EACCES", away: guards{skip: "seccomp landlock"}, bare: "ok"},
			{name: "Docker's with any network", argv: []string{"unix", docker}, more: Rules{AnyNet: true}, want: "EACCES",
				away: guards{skip: "seccomp landlock"}, bare: "ok"},
			{name: "Docker's with any files", argv: []string{"unix", docker}, more: Rules{AnyFiles: true}, want: "EACCES",
				away: guards{skip: "seccomp landlock"}, bare: "ok"},
			{name: "any", argv: []string{"unix", docker}, more: Rules{AnySockets: true}, want: "ok"},
			{name: "abstract", argv: []string{"unix", abstract}, more: listed, want: "EPERM", away: guards{landlock: ScopeABI - 1}, bare: "ok"},
			{name: "abstract with any", argv: []string{"unix", abstract}, more: Rules{AnySockets: true}, want: "ok"},
			{name: "pair of streams", argv: []string{"pair", strconv.Itoa(unix.SOCK_STREAM | unix.SOCK_CLOEXEC)}, want: "ok"},
			{name: "pair of datagrams", argv: []string{"pair", dgram}, want: refusedPair(), away: noSeccomp, bare: "ok"},
		})
	})
}

// refusedPair is what a pair of datagram sockets gives, which can be connected
// elsewhere.
func refusedPair() string {
	if Probe().Landlock >= ResolveUnixABI {
		return "ok"
	}
	return "EACCES"
}

// TestUnixSocketsAreMissing holds that a list that can't be enforced isn't
// applied as if it were.
func TestUnixSocketsAreMissing(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		got := p.run(t, p.rules().With(Rules{Sockets: []string{p.out}}), guards{landlock: ResolveUnixABI - 1}, p.self, "list", p.in)
		const want = "apply: this system can't enforce which Unix sockets it may use, so it would reach Docker's too: " +
			"this needs Linux 7.1, and the kernel's Landlock is of version 8 where 9 is needed"
		if !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
