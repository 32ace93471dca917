package confine

import "golang.org/x/sys/unix"

const (
	auditArch      = unix.AUDIT_ARCH_AARCH64
	foreignNumbers = 0
)

var archBeyond = []uintptr{unix.SYS_KEXEC_FILE_LOAD}

// arm64 has no chmod by name alone.
var archChmod []uintptr
