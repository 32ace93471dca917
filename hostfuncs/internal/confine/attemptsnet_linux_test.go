package confine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

func loopback(port string) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: number(port), Addr: [4]byte{127, 0, 0, 1}}
}

func tryConnect(kind int, to unix.Sockaddr) error {
	domain := unix.AF_INET
	if _, ok := to.(*unix.SockaddrUnix); ok {
		domain = unix.AF_UNIX
	}
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, to)
}

// tryRace changes the address, while it connects, from a socket that is listed to
// another one of a name as long, and back.
func tryRace(a []string) error {
	address := append([]byte{unix.AF_UNIX, 0}, a[0]...)
	var changes atomic.Int64
	go func() {
		for {
			copy(address[2:], a[changes.Add(1)%2])
		}
	}()
	connected, turns, last := 0, 0, int64(0)
	// On a busy machine the two may take turns for a while.
	for i := 0; i < 500 || turns < 100; i++ {
		if now := changes.Load() % 2; now != last {
			turns, last = turns+1, now
		}
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&address[0])), uintptr(len(address)))
		if errno == 0 {
			connected++
		}
		_ = unix.Close(fd)
	}
	if connected == 0 {
		return errors.New("never connected")
	}
	return nil
}

// tryBusy connects to a socket while a connection to another one waits, whose
// server takes none.
func tryBusy(a []string) error {
	busy := &unix.SockaddrUnix{Name: a[0]}
	for err := error(nil); !errors.Is(err, unix.EAGAIN); {
		fd, socketErr := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
		if socketErr != nil {
			return socketErr
		}
		if err = unix.Connect(fd, busy); err != nil && !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
	thread := make(chan int)
	go func() {
		runtime.LockOSThread()
		thread <- unix.Gettid()
		_ = tryConnect(unix.SOCK_STREAM, busy)
	}()
	call, connecting := fmt.Sprintf("/proc/self/task/%d/syscall", <-thread), fmt.Sprintf("%d ", unix.SYS_CONNECT)
	for now := []byte(nil); !strings.HasPrefix(string(now), connecting); {
		var err error
		if now, err = os.ReadFile(call); err != nil {
			return err
		}
	}
	return tryConnect(unix.SOCK_STREAM, &unix.SockaddrUnix{Name: a[1]})
}

// tryDial connects as programs do, with a non-blocking socket.
func tryDial(a []string) error {
	conn, err := net.Dial("tcp", "127.0.0.1:"+a[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte("hello"))
	return err
}

func tryTCP(a []string) error { return tryConnect(unix.SOCK_STREAM, loopback(a[0])) }

func tryBind(a []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+a[0])
	if err != nil {
		return err
	}
	return l.Close()
}

func tryMPTCP(a []string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	if err != nil {
		return err
	}
	return unix.Connect(fd, loopback(a[0]))
}

func tryFastOpen(a []string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Sendto(fd, []byte("hello"), unix.MSG_FASTOPEN, loopback(a[0]))
}

// tryListen listens without having bound the socket.
func tryListen([]string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return unix.Listen(fd, 1)
}

func trySocket(a []string) error {
	_, err := unix.Socket(number(a[0]), number(a[1]), number(a[2]))
	return err
}

func tryPair(a []string) error {
	_, err := unix.Socketpair(unix.AF_UNIX, number(a[0]), 0)
	return err
}
