package confine

import "golang.org/x/sys/unix"

// sockType masks the flags of a socket's type.
const sockType = 0xf

// Fast Open connects a socket by sending, which Landlock does not control.
const msgFastOpen = unix.MSG_FASTOPEN

// network allows the types of sockets that Landlock can restrict or that the rules
// allow.
func network(r Rules, s Support) []call {
	mode := r.socketMode(s)
	cases := local(mode)
	// Without capabilities, it only reads addresses and routes.
	cases = append(cases, when{
		tests: []test{is(0, unix.AF_NETLINK), is(2, unix.NETLINK_ROUTE)}, answer: allowIf(r.usesNet()),
	})
	for _, domain := range []uint32{unix.AF_INET, unix.AF_INET6} {
		cases = append(cases, internet(r, domain)...)
	}
	calls := []call{
		{number: unix.SYS_SOCKET, cases: cases, answer: refuse(unix.EAFNOSUPPORT)},
		// Programs use pairs for the standard streams of their children.
		{number: unix.SYS_SOCKETPAIR, cases: local(max(mode, socketsBrokered)), answer: refuse(unix.EACCES)},
	}
	if mode == socketsBrokered {
		calls = append(calls, call{number: unix.SYS_CONNECT, answer: unix.SECCOMP_RET_USER_NOTIF})
	}
	if !r.anyListen() && len(r.Listen) == 0 && mode == socketsRefused {
		// A socket that listens without a port gets one, which Landlock does not control.
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

// local allows Unix sockets. With a broker, datagram sockets are refused, because they
// can send without a connection.
func local(mode socketMode) []when {
	of := func(kind uint32) when {
		return when{tests: []test{is(0, unix.AF_UNIX), {1, sockType, kind}}, answer: allow}
	}
	domain := []test{is(0, unix.AF_UNIX)}
	switch mode {
	case socketsOpen:
		return []when{{tests: domain, answer: allow}}
	case socketsBrokered:
		return []when{of(unix.SOCK_STREAM), of(unix.SOCK_SEQPACKET), {tests: domain, answer: refuse(unix.EACCES)}}
	}
	return []when{{tests: domain, answer: refuse(unix.EACCES)}}
}

func allowIf(ok bool) answer {
	if ok {
		return allow
	}
	return refuse(unix.EACCES)
}

// internet allows TCP and UDP as the rules say, and no other protocol, such as MPTCP or
// SCTP, whose ports Landlock does not restrict.
func internet(r Rules, domain uint32) []when {
	if r.AnyNet {
		return []when{{tests: []test{is(0, domain)}, answer: allow}}
	}
	of := func(kind, protocol uint32, a answer) when {
		return when{tests: []test{is(0, domain), {1, sockType, kind}, is(2, protocol)}, answer: a}
	}
	tcp, udp := allowIf(r.usesTCP()), allowIf(r.UDP)
	return []when{
		of(unix.SOCK_STREAM, 0, tcp),
		of(unix.SOCK_STREAM, unix.IPPROTO_TCP, tcp),
		of(unix.SOCK_DGRAM, 0, udp),
		of(unix.SOCK_DGRAM, unix.IPPROTO_UDP, udp),
		// With this error programs fall back from MPTCP to TCP.
		{tests: []test{is(0, domain), {1, sockType, unix.SOCK_STREAM}}, answer: refuse(unix.EPROTONOSUPPORT)},
		{tests: []test{is(0, domain)}, answer: refuse(unix.EACCES)},
	}
}
