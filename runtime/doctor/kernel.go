package doctor

import (
	"fmt"
	"strings"
)

// Kernel is what the system can enforce.
type Kernel struct {
	// Landlock is the version of its interface, 0 without it; Reason says why.
	Landlock int
	Reason   string
	Seccomp  bool
	// Missing says what cannot be enforced on commands, one a line.
	Missing []string
	// Memory says why programs cannot be executed from memory, empty if they can.
	Memory string
}

// bestEffort says what becomes of policies that need more.
const bestEffort = "a policy that confines commands to more than this refuses to run, unless it says confine: best-effort"

func (k Kernel) findings() []Finding {
	var found []Finding
	switch {
	case k.Landlock == 0:
		found = append(found, warn(CheckLandlock, k.Reason+": commands cannot be confined to files and ports, and compiled providers are not kept",
			joinLines("use Linux 6.12 or later with Landlock", bestEffort)))
	case len(k.Missing) > 0:
		found = append(found, warn(CheckLandlock, fmt.Sprintf("version %d cannot enforce on a confined command %s", k.Landlock, strings.Join(k.Missing, "; ")), bestEffort))
	default:
		found = append(found, ok(CheckLandlock, fmt.Sprintf("version %d: commands can be confined to files, ports and sockets", k.Landlock)))
	}
	if k.Seccomp {
		found = append(found, ok(CheckSeccomp, "system calls of commands and providers can be restricted"))
	} else {
		found = append(found, warn(CheckSeccomp, "not available: system calls of commands and providers are not restricted", "use Linux on an amd64 or arm64 processor, with seccomp"))
	}
	if k.Memory != "" {
		return append(found, warn(CheckMemory, "programs cannot be executed from memory ("+k.Memory+"): providers run from a copy in the cache",
			"if runs fail, allow memory files: see vm.memfd_noexec and the security module of the system"))
	}
	return append(found, ok(CheckMemory, "programs can be executed from memory"))
}
