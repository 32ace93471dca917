package process

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Identify tells which file a path leads to, links followed.
func Identify(path string) (Identity, error) {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return Identity{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return identityOf(&s), nil
}

func identityOf(s *unix.Stat_t) Identity {
	return Identity{
		Device: uint64(s.Dev), Inode: uint64(s.Ino), Size: uint64(s.Size),
		Modified: uint64(s.Mtim.Nano()), Changed: uint64(s.Ctim.Nano()),
	}
}

// openProgram opens the program that a plan means, and no other, and gives the
// path by which it is run: with pinned that of the descriptor, which nobody can
// lead elsewhere. A script has an interpreter, which opens it by its path.
func openProgram(p guardPlan) (path string, err error) {
	if p.is == (Identity{}) {
		return p.program, nil
	}
	flags := unix.O_PATH
	if p.pinned {
		flags = unix.O_RDONLY
	}
	fd, err := unix.Open(p.program, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return "", err
	}
	if identityOf(&s) != p.is {
		return "", errFileChanged
	}
	head := make([]byte, 4)
	if n, err := unix.Pread(fd, head, 0); p.pinned && err == nil && string(head[:n]) == "\x7fELF" {
		return descriptor(fd), nil
	}
	return p.program, nil
}

// openDir opens the folder that a plan means, and gives the path of its
// descriptor.
func openDir(p guardPlan) (string, error) {
	if p.dirIs == (Identity{}) {
		return p.dir, nil
	}
	fd, err := unix.Open(p.dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return "", err
	}
	if now := identityOf(&s); now.Device != p.dirIs.Device || now.Inode != p.dirIs.Inode {
		return "", errDirChanged
	}
	return descriptor(fd), nil
}

// What has changed, in numbers that no system call here gives.
const (
	errFileChanged = unix.ESTALE
	errDirChanged  = unix.EREMCHG
)

func descriptor(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
