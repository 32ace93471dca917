package confine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification and response are struct seccomp_notif and seccomp_notif_resp.
type notification struct {
	id         uint64
	pid, flags uint32
	number     int32
	arch       uint32
	address    uint64
	args       [6]uint64
}

type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// notifyIDValid is SECCOMP_IOCTL_NOTIF_ID_VALID, which x/sys lacks.
const notifyIDValid = 0x40082102

// serve has calls handled that a filter's listener tells of, until no process is
// left to make one.
func serve(listener int, handle func(notification)) {
	defer unix.Close(listener)
	for {
		// The call below would wait even when nobody is left.
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err == unix.EINTR {
			continue
		} else if err != nil || poll[0].Revents&unix.POLLIN == 0 {
			return
		}
		var n notification
		// One that gave up meanwhile is an error.
		if notifyIoctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) == 0 {
			handle(n)
		}
	}
}

func notifyIoctl(listener int, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), request, uintptr(arg))
	return errno
}

// setListener installs a filter that asks its listener.
func setListener(program []unix.SockFilter) (listener int, errno unix.Errno) {
	// Once a call has been taken it goes on till its end, or a signal would have
	// it made a second time.
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	if listener, errno = setFilter(program, flags); errno != unix.EINVAL {
		return listener, errno
	}
	// Before Linux 5.19 there is no such flag.
	return setFilter(program, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
}
