package confine

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_X86_64
	// foreignNumbers is the first number of x32, another set of system calls
	// under the same architecture.
	foreignNumbers = 0x40000000
)

// archRefused are calls that arm64 does not have, or x/sys does not list there.
var archRefused = []uintptr{unix.SYS_KEXEC_FILE_LOAD, unix.SYS_MODIFY_LDT, unix.SYS_IOPL, unix.SYS_IOPERM}

var archChmod = []uintptr{unix.SYS_CHMOD}

// archWatched are calls that newer processors do not have, see [watched].
var archWatched = map[uintptr]func(looker) []Use{
	unix.SYS_OPEN:     func(l looker) []Use { return l.open(l.name(0), l.args[1]) },
	unix.SYS_CREAT:    func(l looker) []Use { return l.open(l.name(0), unix.O_CREAT|unix.O_WRONLY|unix.O_TRUNC) },
	unix.SYS_MKDIR:    func(l looker) []Use { return l.mkdir(l.name(0)) },
	unix.SYS_MKNOD:    func(l looker) []Use { return l.make(l.name(0)) },
	unix.SYS_SYMLINK:  func(l looker) []Use { return l.make(l.name(1)) },
	unix.SYS_UNLINK:   func(l looker) []Use { return l.remove(l.name(0)) },
	unix.SYS_RMDIR:    func(l looker) []Use { return l.remove(l.name(0)) },
	unix.SYS_LINK:     func(l looker) []Use { return l.link(l.name(0), l.name(1), false) },
	unix.SYS_RENAME:   func(l looker) []Use { return l.rename(l.name(0), l.name(1)) },
	unix.SYS_RENAMEAT: func(l looker) []Use { return l.rename(l.at(0, 1), l.at(2, 3)) },
}
