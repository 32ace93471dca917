package confine

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// unixServer listens on a socket that everybody may connect to, and counts.
func unixServer(t *testing.T, name string) *atomic.Int64 {
	t.Helper()
	l, err := net.Listen("unix", name)
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	if name[0] != '@' {
		must(t, os.Chmod(name, 0o666))
	}
	var count atomic.Int64
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			_ = conn.Close()
		}
	}()
	return &count
}

// old skips what a newer kernel does by Landlock, and leaves to it.
func old(t *testing.T) {
	t.Helper()
	if Probe().Landlock >= ResolveUnixABI {
		t.Skip("Landlock does this")
	}
}

func TestSockets(t *testing.T) {
	old(t)
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		docker, abstract := filepath.Join(p.out, "docker.sock"), "@confine-"+filepath.Base(p.root)
		unixServer(t, docker)
		unixServer(t, abstract)
		bare := guards{skip: "seccomp landlock"}
		dgram := strconv.Itoa(unix.SOCK_DGRAM)
		p.checkAttempts(t, []attempt{
			{name: "Docker's", argv: []string{"unix", docker}, want: "EACCES", away: bare, bare: "ok"},
			{name: "Docker's with any network", argv: []string{"unix", docker}, more: Rules{AnyNet: true}, want: "EACCES", away: bare, bare: "ok"},
			{name: "Docker's with any files", argv: []string{"unix", docker}, more: Rules{AnyFiles: true}, want: "EACCES", away: bare, bare: "ok"},
			{name: "any", argv: []string{"unix", docker}, more: Rules{AnySockets: true}, want: "ok"},
			{name: "abstract", argv: []string{"unix", abstract}, want: "EACCES", away: bare, bare: "ok"},
			{name: "abstract with any", argv: []string{"unix", abstract}, more: Rules{AnySockets: true}, want: "ok"},
			{name: "pair of streams", argv: []string{"pair", strconv.Itoa(unix.SOCK_STREAM | unix.SOCK_CLOEXEC)}, want: "ok"},
			{name: "pair of datagrams", argv: []string{"pair", dgram}, want: "EACCES", away: noSeccomp, bare: "ok"},
		})
	})
}

// TestBroker is about what a broker has to do as the kernel would.
func TestBroker(t *testing.T) {
	old(t)
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		listed, other, abstract := filepath.Join(p.out, "a.sock"), filepath.Join(p.out, "b.sock"), "@confine-"+filepath.Base(p.root)
		unixServer(t, listed)
		unixServer(t, other)
		unixServer(t, abstract)
		good, bad := strconv.Itoa(int(tcpServer(t))), strconv.Itoa(int(tcpServer(t)))
		busy, link := filepath.Join(p.out, "busy.sock"), filepath.Join(p.out, "link")
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		must(t, err)
		defer unix.Close(fd)
		must(t, unix.Bind(fd, &unix.SockaddrUnix{Name: busy}))
		must(t, unix.Listen(fd, 0))
		must(t, os.Chmod(busy, 0o666))
		must(t, os.Symlink(listed, link))
		one := Rules{Sockets: []string{listed}}
		ports := Rules{Sockets: []string{listed}, Connect: []uint16{uint16(number(good))}}
		mute := guards{mute: true}
		p.checkAttempts(t, []attempt{
			{name: "listed", argv: []string{"unix", listed}, more: one, want: "ok"},
			{name: "in a listed directory", argv: []string{"unix", other}, more: Rules{Sockets: []string{p.out}}, want: "ok"},
			{name: "relative", argv: []string{"unix", "../out/a.sock"}, more: one, want: "ok"},
			{name: "by a link", argv: []string{"unix-link", listed, filepath.Join(p.in, "a")}, more: one, want: "ok"},
			{name: "listed by a link", argv: []string{"unix", listed}, more: Rules{Sockets: []string{link}}, want: "ok"},
			{name: "from a thread", argv: []string{"unix-thread", listed}, more: one, want: "ok"},
			{name: "while another waits", argv: []string{"unix-busy", busy, listed}, more: Rules{Sockets: []string{p.out}}, want: "ok"},
			{name: "missing", argv: []string{"unix", listed + "t"}, more: one, want: "ENOENT"},
			{name: "another", argv: []string{"unix", other}, more: one, want: "EACCES", away: mute, bare: "ok"},
			{name: "another, relative", argv: []string{"unix", "../out/b.sock"}, more: one, want: "EACCES", away: mute, bare: "ok"},
			{name: "another by a link", argv: []string{"unix-link", other, filepath.Join(p.in, "b")}, more: one, want: "EACCES", away: mute, bare: "ok"},
			{name: "another with any network", argv: []string{"unix", other}, more: one.With(Rules{AnyNet: true}), want: "EACCES", away: mute, bare: "ok"},
			{name: "abstract", argv: []string{"unix", abstract}, more: one, want: "EPERM", away: guards{landlock: ScopeABI - 1, mute: true}, bare: "ok"},
			{name: "datagrams", argv: []string{"unix-dgram", listed}, more: one, want: "EACCES", away: noSeccomp, bare: "EPROTOTYPE"},
			{name: "a port", argv: []string{"tcp", good}, more: ports, want: "ok"},
			{name: "a port, without waiting", argv: []string{"http", good}, more: ports, want: "ok"},
			{name: "another port", argv: []string{"tcp", bad}, more: ports, want: "EACCES", away: guards{landlock: TCPABI - 1, mute: true}, bare: "ok"},
			{name: "another port with UDP", argv: []string{"tcp", bad}, more: ports.With(Rules{UDP: true}), want: "EACCES",
				away: guards{landlock: TCPABI - 1, mute: true}, bare: "ok"},
			{name: "any port", argv: []string{"tcp", bad}, more: one.With(Rules{AnyNet: true}), want: "ok"},
			{name: "any port of TCP", argv: []string{"tcp", bad}, more: one.With(Rules{AnyConnect: true}), want: "ok"},
			{name: "any port to listen on", argv: []string{"tcp", bad}, more: one.With(Rules{AnyListen: true}), want: "EACCES"},
			{name: "UDP", argv: []string{"udp", bad}, more: ports.With(Rules{UDP: true}), want: "ok"},
		})
		// From another directory than the broker's.
		if got := p.run(t, p.rules().With(one), guards{}, "/bin/sh", "-c", "cd sub; exec "+p.self+" unix ../../out/a.sock"); got != "ok" {
			t.Errorf("got %q from another directory", got)
		}
		// Without a broker, Landlock still restricts abstract names.
		muted := p.rules().With(one)
		muted.BestEffort = true
		if got := p.run(t, muted, mute, p.self, "unix", abstract); got != "EPERM" {
			t.Errorf("got %q for an abstract name without a broker", got)
		}
	})
}

// TestBrokerIsNotRaced: only an address that was checked is connected.
func TestBrokerIsNotRaced(t *testing.T) {
	old(t)
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		listed, other := filepath.Join(p.out, "a.sock"), filepath.Join(p.out, "b.sock")
		unixServer(t, listed)
		count := unixServer(t, other)
		argv := []string{p.self, "unix-race", listed, other}
		r := p.rules().With(Rules{Sockets: []string{listed}})
		if got := p.run(t, r, guards{}, argv...); got != "ok" {
			t.Errorf("got %q", got)
		}
		if n := earlier(t, other, count); n > 0 {
			t.Errorf("%d connections to the other socket", n)
		}
		r.BestEffort = true
		if got := p.run(t, r, guards{mute: true}, argv...); got != "ok" || earlier(t, other, count) <= 1 {
			t.Errorf("got %q and no connection to the other socket without a broker", got)
		}
	})
}

// earlier counts the connections to a server up to now, by one more, which it
// takes last.
func earlier(t *testing.T, name string, count *atomic.Int64) int64 {
	t.Helper()
	conn, err := net.Dial("unix", name)
	must(t, err)
	defer conn.Close()
	_, _ = conn.Read(make([]byte, 1))
	return count.Load() - 1
}

// TestUnixSocketsAreMissing: a list that cannot be enforced is an error.
func TestUnixSocketsAreMissing(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		g := guards{landlock: ResolveUnixABI - 1, mute: true}
		got := p.run(t, p.rules().With(Rules{Sockets: []string{p.out}}), g, p.self, "list", p.in)
		const want = "apply: this system cannot enforce which Unix sockets it may use, so it could reach Docker's too: " +
			"this needs Linux 7.1, or 5.9 with seccomp notifications, and the kernel has version 8 of Landlock, not 9"
		if !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
