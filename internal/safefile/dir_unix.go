//go:build unix

package safefile

import (
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Dir is an open directory. What is below it is found from it, without following links,
// so that nobody can exchange a directory on the way for a link.
type Dir struct{ f *os.File }

// NewDir opens a directory by its path. It refuses a link to a directory.
func NewDir(path string) (*Dir, error) {
	f, err := OpenDir(path)
	if err != nil {
		return nil, err
	}
	return &Dir{f}, nil
}

// Open opens a directory below this one: a path with slashes, relative and clean. No
// element of it may be a link.
func (d *Dir) Open(name string) (*Dir, error) {
	at := d
	for element := range strings.SplitSeq(name, "/") {
		fd, err := openIn(at, element)
		if at != d {
			_ = at.Close()
		}
		if err != nil {
			return nil, problem(path.Join(d.f.Name(), name), err)
		}
		at = &Dir{os.NewFile(uintptr(fd), path.Join(at.f.Name(), element))}
	}
	return at, nil
}

func openIn(d *Dir, name string) (fd int, err error) {
	err = retried(func() error {
		fd, err = unix.Openat(int(d.f.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC|dontWait|dontFollow|directoryAlone, 0)
		return err
	})
	return fd, err
}

// retried repeats a system call that a signal interrupts.
func retried(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// Names lists the entries, in no order.
func (d *Dir) Names() ([]string, error) { return d.f.Readdirnames(-1) }

// Lstat examines an entry, without following it if it is a link.
func (d *Dir) Lstat(name string) (Info, error) {
	var s unix.Stat_t
	if err := retried(func() error { return unix.Fstatat(int(d.f.Fd()), name, &s, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
		return Info{}, problem(path.Join(d.f.Name(), name), err)
	}
	i := Info{Type: fs.ModeIrregular, Size: s.Size, Modified: s.Mtim.Nano(), Inode: uint64(s.Ino), Device: uint64(s.Dev)}
	switch uint32(s.Mode) & unix.S_IFMT {
	case unix.S_IFREG:
		i.Type = 0
	case unix.S_IFDIR:
		i.Type = fs.ModeDir
	case unix.S_IFLNK:
		i.Type = fs.ModeSymlink
	}
	return i, nil
}

// Close closes the directory.
func (d *Dir) Close() error { return d.f.Close() }
