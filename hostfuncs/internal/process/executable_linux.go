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
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

// Executable is the file of a program, opened once: this file is inspected, hashed
// and run, even if its path leads elsewhere by then. It has to be closed.
type Executable struct {
	file *os.File // opened with O_PATH, so that opening never blocks
	is   guard.Identity
	// native says that the kernel runs the file itself; otherwise an interpreter
	// opens it by its path.
	native bool
	// fixed says that only root can make its path lead elsewhere.
	fixed bool
}

// runBy is how a guard runs the file.
func (x *Executable) runBy(pinned bool) guard.RunBy {
	switch {
	case x.fixed:
		return guard.ByPath
	case x.native:
		return guard.ByDescriptor
	case pinned:
		return guard.ByOpenFile
	}
	return guard.ByPath
}

func identify(fd int) (guard.Identity, error) {
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return guard.Identity{}, err
	}
	return guard.IdentityOf(&s), nil
}

// errFileChanged is the error of a guard that finds another file.
const errFileChanged = guard.ErrChanged

// OpenExecutable opens the regular file at a path, and follows links.
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

// isNative reads the head of the file. An unreadable file cannot be a script,
// because its interpreter has to read it.
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

// natives are the machine types whose programs a kernel may run itself. All of them
// are little-endian.
var natives = map[string][]elf.Machine{
	"amd64": {elf.EM_X86_64, elf.EM_386}, "arm64": {elf.EM_AARCH64, elf.EM_ARM},
	"386": {elf.EM_386}, "arm": {elf.EM_ARM}, "riscv64": {elf.EM_RISCV}, "loong64": {elf.EM_LOONGARCH},
}

func isNative(head []byte) bool {
	machine := elf.Machine(head[18]) | elf.Machine(head[19])<<8
	return string(head[:4]) == elf.ELFMAG && slices.Contains(natives[runtime.GOARCH], machine)
}

// Read opens the file for reading.
func (x *Executable) Read() (*os.File, error) {
	return os.Open(descriptor(int(x.file.Fd())))
}

// Path is the file's current path, without links.
func (x *Executable) Path() (string, error) {
	fd := int(x.file.Fd())
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return "", err
	}
	path, err := os.Readlink(descriptor(fd))
	// A file's name can end like this, and some file systems do not count links.
	if err == nil && s.Nlink == 0 && strings.HasSuffix(path, " (deleted)") {
		err = &os.PathError{Op: "open", Path: x.file.Name(), Err: unix.ENOENT}
	}
	return path, err
}

// Close implements [io.Closer].
func (x *Executable) Close() error { return x.file.Close() }

// maxLinks is how many links the kernel follows in a path.
const maxLinks = 40

// isFixed reports whether user is not root and only root can make a path lead
// elsewhere: each directory on the way, links included, belongs to root and only
// root may write to it. Such a program can be run by its path, by which tools of
// the system know it.
func isFixed(path string, user int) bool {
	if user == 0 || !filepath.IsAbs(path) || !rootAlone("/") {
		return false
	}
	at, rest := "/", strings.Split(path, "/")
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		switch {
		case err != nil:
			return false
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(next)
			if links++; err != nil || links > maxLinks {
				return false
			}
			if filepath.IsAbs(target) {
				at = "/"
			}
			rest = append(strings.Split(target, "/"), rest...)
		case info.IsDir():
			if !rootAlone(next) {
				return false
			}
			at = next
		case len(rest) > 0:
			return false
		}
	}
	return true
}

func rootAlone(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	// The bits of the group are the most that an access list gives to anyone.
	return ok && stat.Uid == 0 && info.Mode().Perm()&0o022 == 0
}

// Directory is a working directory, opened once. It has to be closed.
type Directory struct{ file *os.File }

// OpenDirectory opens a directory beneath a root. rel is clean; a link in it is an
// error.
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
		// Before Linux 5.6, or in a container that does not allow the call.
		fd, err = walk(at, rel, flags)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: filepath.Join(root, rel), Err: err}
	}
	return &Directory{os.NewFile(uintptr(fd), rel)}, nil
}

// walk opens a directory name by name, and follows no link.
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
