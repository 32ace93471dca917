package memfile

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// New copies a program to a memory file, which nobody can change and everybody with its
// descriptor can execute. It is open for reading only.
func New(name string, program []byte) (*os.File, error) {
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
	if _, err := writer.Write(program); err != nil {
		return nil, err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	// The kernel does not execute a file that is open for writing.
	path := Path(fd)
	reader, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(reader), name), nil
}

// Path is the path by which a process opens or executes a file that it has open.
//
// A child executes a memory file by its place among the child's files. It must not be
// executed by its descriptor here: between fork and exec, Go moves the child's files to
// descriptors that may be in use.
func Path(descriptor int) string { return "/proc/self/fd/" + strconv.Itoa(descriptor) }
