package confine

import "golang.org/x/sys/unix"

// sockType is the part of a socket's type that isn't flags.
const sockType = 0xf

// Fast Open connects a socket by sending, which Landlock doesn't see.
const msgFastOpen = unix.MSG_FASTOPEN

// network lets those kinds of sockets through that Landlock can hold to the
// rules, or that the rules allow.
func network(r Rules, s Support) []call {
	mode := r.socketMode(s)
	families := local(mode)
	// It takes a capability to do more than look at addresses and routes.
	families = append(families, when{
		tests: []test{is(0, unix.AF_NETLINK), is(2, unix.NETLINK_ROUTE)}, answer: allowIf(r.usesNet()),
	})
	for _, family := range []uint32{unix.AF_INET, unix.AF_INET6} {
		families = append(families, internet(r, family)...)
	}
	calls := []call{
		{number: unix.SYS_SOCKET, cases: families, answer: refuse(unix.EAFNOSUPPORT)},
		// Programs use pairs for the standard streams of their children.
		{number: unix.SYS_SOCKETPAIR, cases: local(max(mode, socketsAsked)), answer: refuse(unix.EACCES)},
	}
	if mode == socketsAsked {
		calls = append(calls, call{number: unix.SYS_CONNECT, answer: unix.SECCOMP_RET_USER_NOTIF})
	}
	if !r.anyListen() && len(r.Listen) == 0 && mode == socketsRefused {
		// A socket that listens without a port gets one, unseen by Landlock.
		calls = append(calls, call{number: unix.SYS_LISTEN, answer: refuse(unix.EACCES)})
	}
	if !r.AnyNet {
		calls = append(calls,
			without(unix.SYS_SENDTO, 3, msgFastOpen, unix.EOPNOTSUPP),
			without(unix.SYS_SENDMSG, 2, msgFastOpen, unix.EOPNOTSUPP),
			without(unix.SYS_SENDMMSG, 3, msgFastOpen, unix.EOPNOTSUPP),
		)
	}
	return calls
}

// local allows Unix sockets, without those of datagrams where connections are
// asked about: they need none to send.
func local(mode socketMode) []when {
	of := func(kind uint32) when {
		return when{tests: []test{is(0, unix.AF_UNIX), {1, sockType, kind}}, answer: allow}
	}
	family := []test{is(0, unix.AF_UNIX)}
	switch mode {
	case socketsOpen:
		return []when{{tests: family, answer: allow}}
	case socketsAsked:
		return []when{of(unix.SOCK_STREAM), of(unix.SOCK_SEQPACKET), {tests: family, answer: refuse(unix.EACCES)}}
	}
	return []when{{tests: family, answer: refuse(unix.EACCES)}}
}

func allowIf(ok bool) answer {
	if ok {
		return allow
	}
	return refuse(unix.EACCES)
}

// internet allows TCP, and UDP if it is allowed, and no other protocol, such as
// MPTCP or SCTP: Landlock takes their ports for none of TCP.
func internet(r Rules, family uint32) []when {
	if r.AnyNet {
		return []when{{tests: []test{is(0, family)}, answer: allow}}
	}
	of := func(kind, protocol uint32, a answer) when {
		return when{tests: []test{is(0, family), {1, sockType, kind}, is(2, protocol)}, answer: a}
	}
	tcp, udp := allowIf(r.usesTCP()), allowIf(r.UDP)
	return []when{
		of(unix.SOCK_STREAM, 0, tcp),
		of(unix.SOCK_STREAM, unix.IPPROTO_TCP, tcp),
		of(unix.SOCK_DGRAM, 0, udp),
		of(unix.SOCK_DGRAM, unix.IPPROTO_UDP, udp),
		// The error by which programs fall back from MPTCP to TCP.
		{tests: []test{is(0, family), {1, sockType, unix.SOCK_STREAM}}, answer: refuse(unix.EPROTONOSUPPORT)},
		{tests: []test{is(0, family)}, answer: refuse(unix.EACCES)},
	}
}
