package bounds

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_X86_64
	// foreignNumbers is the first number of x32, another set of system calls of the same
	// architecture.
	foreignNumbers = 0x40000000
)
