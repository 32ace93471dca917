package process

import (
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Executable is the file of a program, opened once: what is looked at, hashed and
// run is this file, whatever its path leads to by then. It has to be closed.
type Executable struct {
	file *os.File // opened with O_PATH: nothing waits, and nothing is read
	is   identity
	// native says that the kernel runs the file itself. What interprets another
	// one opens that by the path that it is told.
	native bool
	// fixed says that nobody who isn't root can lead its path elsewhere.
	fixed bool
}

// identity tells a file from others, and from what it was before it was written
// to; the size is in bytes, times are in nanoseconds.
type identity struct{ device, inode, size, modified, changed uint64 }

func identityOf(s *unix.Stat_t) identity {
	return identity{
		device: uint64(s.Dev), inode: uint64(s.Ino), size: uint64(s.Size),
		modified: uint64(s.Mtim.Nano()), changed: uint64(s.Ctim.Nano()),
	}
}

func identify(fd int) (identity, error) {
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return identity{}, err
	}
	return identityOf(&s), nil
}

// OpenExecutable opens the regular file that a path leads to, links followed.
func OpenExecutable(path string) (*Executable, error) {
	file, err := os.OpenFile(path, unix.O_PATH, 0)
	if err != nil {
		return nil, startError(path, err)
	}
	x := &Executable{file: file, fixed: isFixed(path, os.Geteuid())}
	if err := x.inspect(); err != nil {
		return nil, errors.Join(startError(path, err), file.Close())
	}
	return x, nil
}

func (x *Executable) inspect() (err error) {
	info, err := x.file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errNotRegular
	}
	if x.is, err = identify(int(x.file.Fd())); err != nil {
		return err
	}
	x.native, err = x.isNative()
	return err
}

// isNative reads the head of the file. One that may be run and not be read can't
// be a script, whose interpreter reads it.
func (x *Executable) isNative() (bool, error) {
	file, err := x.Read()
	if errors.Is(err, fs.ErrPermission) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	head := make([]byte, 20) // up to the machine, see elf(5)
	if n, err := io.ReadFull(file, head); n < len(head) {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		return false, err
	}
	return isNative(head), nil
}

// natives are the machines whose programs a kernel may run itself.
var natives = map[string][]elf.Machine{
	"amd64": {elf.EM_X86_64, elf.EM_386}, "arm64": {elf.EM_AARCH64, elf.EM_ARM},
	"386": {elf.EM_386}, "arm": {elf.EM_ARM}, "riscv64": {elf.EM_RISCV}, "loong64": {elf.EM_LOONGARCH},
}

func isNative(head []byte) bool {
	// All of natives have the lower byte first.
	machine := elf.Machine(head[18]) | elf.Machine(head[19])<<8
	return string(head[:4]) == elf.ELFMAG && slices.Contains(natives[runtime.GOARCH], machine)
}

// Read opens the file for reading.
func (x *Executable) Read() (*os.File, error) {
	return os.Open(descriptor(int(x.file.Fd())))
}

// Path is where the file is now, without links.
func (x *Executable) Path() (string, error) {
	fd := int(x.file.Fd())
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return "", err
	}
	path, err := os.Readlink(descriptor(fd))
	// Some file systems count no links, and a file may be called so.
	if err == nil && s.Nlink == 0 && strings.HasSuffix(path, " (deleted)") {
		err = &os.PathError{Op: "open", Path: x.file.Name(), Err: unix.ENOENT}
	}
	return path, err
}

// Close implements [io.Closer].
func (x *Executable) Close() error { return x.file.Close() }

// Directory is one to run a program in, opened once. It has to be closed.
type Directory struct{ file *os.File }

// OpenDirectory opens a directory beneath a root; rel is clean and has no link in
// it. What leads elsewhere by now is an error.
func OpenDirectory(root, rel string) (*Directory, error) {
	at, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(at)
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC
	fd, err := unix.Openat2(at, rel, &unix.OpenHow{
		Flags: flags, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	})
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		// Before Linux 5.6, or in a container that doesn't know the call.
		fd, err = walk(at, rel, flags)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: filepath.Join(root, rel), Err: err}
	}
	return &Directory{os.NewFile(uintptr(fd), rel)}, nil
}

// walk opens a directory name by name, none of which may be a link.
func walk(at int, rel string, flags int) (int, error) {
	at, err := unix.Dup(at)
	for name := range strings.SplitSeq(rel, "/") {
		if err != nil {
			return -1, err
		}
		above := at
		at, err = unix.Openat(above, name, flags|unix.O_NOFOLLOW, 0)
		_ = unix.Close(above)
	}
	return at, err
}

// Close implements [io.Closer].
func (d *Directory) Close() error { return d.file.Close() }

func descriptor(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
