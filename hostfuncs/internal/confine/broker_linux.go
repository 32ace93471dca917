package confine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Broker makes connections on behalf of confined processes, because a filter cannot
// read addresses and Landlock, before [ResolveUnixABI], does not restrict Unix sockets.
//
// It never continues a call that it has checked: meanwhile the program could have
// replaced the address or the socket. It copies the address, duplicates the socket,
// checks these, and connects them itself. So a server sees the broker's process as
// its peer, signal handlers of the program run after the connection is made, and a
// program that hides its memory, as some key agents do, cannot connect.
//
// See https://docs.kernel.org/userspace-api/seccomp_filter.html#userspace-notification.
type Broker struct {
	listener *os.File
	rules    Rules
}

func hasGetfd() bool {
	_, err := unix.PidfdGetfd(-1, -1, 0)
	return err == unix.EBADF
}

// maxConnecting is how many connections are made at once; others wait.
const maxConnecting = 512

// Serve serves until no confined process is left or the listener is closed. It is
// called once. Connections of the confined processes wait for it, and fail with ENOSYS
// once the listener is closed.
func (b *Broker) Serve() {
	free := make(chan struct{}, maxConnecting)
	serve(b.listener, func(n notification) {
		free <- struct{}{}
		// Connecting may take long.
		go func() {
			defer func() { <-free }()
			b.answer(n)
		}()
	})
}

func (b *Broker) answer(n notification) {
	r := response{id: n.id}
	if errno := b.connect(n); errno != 0 {
		r.errno = -int32(errno)
	}
	_ = notify(b.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

// connect does what connect(2) was asked for, with the same errors.
func (b *Broker) connect(n notification) unix.Errno {
	address, errno := readAddress(int(n.pid), n.args[1], n.args[2])
	if errno != 0 {
		return errno
	}
	socket, errno := takeSocket(int(n.pid), int(int32(n.args[0])))
	if errno != 0 {
		return errno
	}
	defer unix.Close(socket)
	cwd := fmt.Sprintf("/proc/%d/cwd", n.pid)
	if notify(b.listener, notifyIDValid, unsafe.Pointer(&n.id)) != 0 {
		// It has ended, and its pid may be reused.
		return unix.EPERM
	}
	return b.connectTo(socket, address, cwd)
}

// maxAddress is the size of struct sockaddr_storage, the largest address.
const maxAddress = 128

func readAddress(pid int, at, size uint64) ([]byte, unix.Errno) {
	if size > maxAddress || size < 2 {
		return nil, unix.EINVAL
	}
	address := make([]byte, size)
	if !readMemory(pid, at, address) {
		return nil, unix.EFAULT
	}
	return address, 0
}

// readMemory fills data from a program's memory. Only root can read that of a program
// that hides it, as some that have secrets do.
func readMemory(pid int, at uint64, data []byte) bool {
	local := []unix.Iovec{{Base: &data[0]}}
	local[0].SetLen(len(data))
	got, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(data)}}, 0)
	return err == nil && got == len(data)
}

func takeSocket(thread, fd int) (int, unix.Errno) {
	pid := processOf(thread)
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, unix.EPERM
	}
	defer unix.Close(pidfd)
	socket, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		errno, _ := err.(unix.Errno)
		return -1, errno
	}
	return socket, 0
}

// processOf returns the process of a thread; a pidfd needs it.
func processOf(thread int) int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", thread))
	for line := range bytes.Lines(data) {
		var pid int
		if n, _ := fmt.Sscanf(string(line), "Tgid: %d", &pid); n == 1 {
			return pid
		}
	}
	return thread
}

func (b *Broker) connectTo(socket int, address []byte, cwd string) unix.Errno {
	domain, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return unix.ENOTSOCK
	}
	addressFamily := binary.NativeEndian.Uint16(address)
	switch {
	case addressFamily == unix.AF_UNSPEC && domain != unix.AF_UNIX:
		// This dissolves a connection.
	case domain == unix.AF_INET || domain == unix.AF_INET6:
		if !b.mayReach(socket, address) {
			return unix.EACCES
		}
	case domain == unix.AF_UNIX && addressFamily == unix.AF_UNIX:
		return b.connectUnix(socket, string(address[2:]), cwd)
	default:
		return unix.EACCES
	}
	return connect(socket, address)
}

// mayReach checks what Landlock would, which does not restrict this process.
func (b *Broker) mayReach(socket int, address []byte) bool {
	protocol, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	switch {
	case err != nil || len(address) < 4:
		return false
	case b.rules.AnyNet:
		return true
	case protocol == unix.IPPROTO_TCP:
		return b.rules.AnyConnect || slices.Contains(b.rules.Connect, binary.BigEndian.Uint16(address[2:]))
	}
	return b.rules.UDP && protocol == unix.IPPROTO_UDP
}

func (b *Broker) connectUnix(socket int, name, cwd string) unix.Errno {
	name, _, _ = strings.Cut(name, "\x00")
	if name == "" {
		// The name is abstract.
		return unix.EPERM
	}
	if !filepath.IsAbs(name) {
		name = cwd + "/" + name
	}
	file, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		errno, _ := err.(unix.Errno)
		return errno
	}
	defer unix.Close(file)
	handle := fmt.Sprintf("/proc/self/fd/%d", file)
	target, err := os.Readlink(handle)
	if err != nil || !slices.ContainsFunc(b.rules.Sockets, func(allowed string) bool { return within(target, allowed) }) {
		return unix.EACCES
	}
	address := binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX)
	return connect(socket, append(append(address, handle...), 0))
}

func connect(socket int, address []byte) unix.Errno {
	for {
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(socket), uintptr(unsafe.Pointer(&address[0])), uintptr(len(address)))
		if errno != unix.EINTR {
			return errno
		}
	}
}
