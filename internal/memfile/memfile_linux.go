package memfile

import (
	"errors"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// New copies a program to a memory file, which nobody can change and everybody with its
// descriptor can execute. The descriptor is read-only and at least lowest, so that it does
// not collide with the standard streams of a program that is started.
func New(name string, program io.Reader, lowest int) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) {
		// Before Linux 6.3 all memory files are executable.
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	writer := os.NewFile(uintptr(fd), name)
	defer writer.Close()
	if _, err := io.Copy(writer, program); err != nil {
		return nil, err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	// The kernel does not execute a file that is open for writing.
	low, err := unix.Open(descriptor(fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: descriptor(fd), Err: err}
	}
	defer unix.Close(low)
	high, err := unix.FcntlInt(uintptr(low), unix.F_DUPFD_CLOEXEC, lowest)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(high), name), nil
}

// Path is a path by which this process and a child that it forks can execute the file.
func Path(file *os.File) string { return descriptor(int(file.Fd())) }

func descriptor(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
