package confine

import "golang.org/x/sys/unix"

// sockType is the part of a socket's type that isn't flags.
const sockType = 0xf

// Fast Open connects a socket by sending, which Landlock doesn't see.
const msgFastOpen = unix.MSG_FASTOPEN

// network lets those kinds of sockets through that Landlock can hold to the
// rules, or that the rules allow.
func network(r Rules, s Support) []call {
	families := []when{
		{tests: []test{is(0, unix.AF_UNIX)}, answer: allowIf(r.usesSockets(s))},
		// It takes a capability to do more than look at addresses and routes.
		{tests: []test{is(0, unix.AF_NETLINK), is(2, unix.NETLINK_ROUTE)}, answer: allowIf(r.usesNet())},
	}
	for _, family := range []uint32{unix.AF_INET, unix.AF_INET6} {
		families = append(families, internet(r, family)...)
	}
	calls := []call{
		{number: unix.SYS_SOCKET, cases: families, answer: refuse(unix.EAFNOSUPPORT)},
		{number: unix.SYS_SOCKETPAIR, cases: pairs(r, s), answer: refuse(unix.EACCES)},
	}
	if !r.AnyNet && len(r.Listen) == 0 && !r.usesSockets(s) {
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

// pairs are harmless, unless of a kind that can be connected to another socket
// afterwards. Programs use them for the standard streams of their children.
func pairs(r Rules, s Support) []when {
	if r.usesSockets(s) {
		return []when{{tests: []test{is(0, unix.AF_UNIX)}, answer: allow}}
	}
	return []when{
		{tests: []test{is(0, unix.AF_UNIX), {1, sockType, unix.SOCK_STREAM}}, answer: allow},
		{tests: []test{is(0, unix.AF_UNIX), {1, sockType, unix.SOCK_SEQPACKET}}, answer: allow},
	}
}
