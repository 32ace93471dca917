package confine

import "golang.org/x/sys/unix"

const (
	auditArch      = unix.AUDIT_ARCH_AARCH64
	foreignNumbers = 0
)

var archRefused = []uintptr{unix.SYS_KEXEC_FILE_LOAD}

// archChmod is empty: arm64 has no chmod by name only.
var archChmod []uintptr

// archWatched are calls that other processors do not have, see [watched].
var archWatched = map[uintptr]func(looker) []Use{
	unix.SYS_RENAMEAT: func(l looker) []Use { return l.rename(l.at(0, 1), l.at(2, 3)) },
}
