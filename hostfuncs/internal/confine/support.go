package confine

import (
	"fmt"
	"strings"
)

// The versions of Landlock's interface that introduced what we use, see
// https://docs.kernel.org/userspace-api/landlock.html#previous-limitations.
const (
	FilesABI       = 1 // Linux 5.13
	TruncateABI    = 3 // Linux 6.2
	TCPABI         = 4 // Linux 6.7
	IoctlABI       = 5 // Linux 6.10
	ScopeABI       = 6 // Linux 6.12
	ResolveUnixABI = 9 // Linux 7.1

	// referABI allows renaming between directories; earlier versions refuse it.
	referABI = 2 // Linux 5.19
)

// Support is what a system supports for confining a process.
type Support struct {
	// Landlock is the version of its interface, 0 if it is unavailable.
	Landlock int
	// Seccomp says that filters of system calls are available, and that we have
	// one for this processor.
	Seccomp bool
	// Notify says that a filter can ask us about a system call (Linux 5.9).
	Notify bool
	// Reason says why Landlock is unavailable, as the end of a sentence.
	Reason string
}

// feature is a part of the rules, and what a system needs to enforce it.
type feature struct {
	what, needs string
	landlock    int
	seccomp     bool
	notify      bool // seccomp notifications serve instead of landlock
	used        func(Rules) bool
}

var features = []feature{
	{
		what: "which files it may use", landlock: FilesABI, needs: "Linux 5.13 with Landlock",
		used: func(r Rules) bool { return !r.AnyFiles },
	},
	{
		what: "that it cannot truncate files outside", landlock: TruncateABI, needs: "Linux 6.2",
		used: func(r Rules) bool { return !r.AnyFiles },
	},
	{
		what: "which TCP ports it may use", landlock: TCPABI, needs: "Linux 6.7",
		// Without any port the filter refuses the sockets themselves.
		used: func(r Rules) bool { return !r.AnyNet && r.usesTCP() },
	},
	{
		what: "that it cannot signal processes outside", landlock: ScopeABI, needs: "Linux 6.12",
		used: func(Rules) bool { return true },
	},
	{
		what:     "which Unix sockets it may use, so it could reach Docker's too",
		landlock: ResolveUnixABI, needs: "Linux 7.1, or 5.9 with seccomp notifications", notify: true,
		used: func(r Rules) bool { return !r.AnySockets && len(r.Sockets) > 0 },
	},
	{
		what:    "that it uses no sockets or system calls that bypass its rules",
		seccomp: true, needs: "seccomp on an amd64 or arm64 processor",
		used: func(Rules) bool { return true },
	},
}

// Missing says which of the rules the system cannot enforce, one a line, in words for
// the user.
func (r Rules) Missing(s Support) []string {
	var missing []string
	for _, f := range features {
		if !f.used(r) || s.Landlock >= f.landlock && (s.Seccomp || !f.seccomp) || f.notify && s.Seccomp && s.Notify {
			continue
		}
		line := fmt.Sprintf("%s: this needs %s", f.what, f.needs)
		switch {
		case s.Reason != "":
			line += ", and " + s.Reason
		case !f.seccomp:
			line += fmt.Sprintf(", and the kernel has version %d of Landlock, not %d", s.Landlock, f.landlock)
		}
		missing = append(missing, line)
	}
	return missing
}

// MissingError reports rules that this system cannot enforce.
type MissingError struct {
	// Missing is the result of [Rules.Missing].
	Missing []string
}

func (e *MissingError) Error() string {
	return "this system cannot enforce " + strings.Join(e.Missing, "; ")
}
