package confine

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_X86_64
	// foreignNumbers is the first number of x32, another set of system calls
	// under the same architecture.
	foreignNumbers = 0x40000000
)

// archBeyond are those that arm64 lacks, or that x/sys doesn't list there.
var archBeyond = []uintptr{unix.SYS_KEXEC_FILE_LOAD, unix.SYS_MODIFY_LDT, unix.SYS_IOPL, unix.SYS_IOPERM}

var archChmod = []uintptr{unix.SYS_CHMOD}
