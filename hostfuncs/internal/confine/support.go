package confine

import "fmt"

// The versions of Landlock's interface that brought what we use, see
// https://docs.kernel.org/userspace-api/landlock.html#previous-limitations.
const (
	FilesABI       = 1 // Linux 5.13
	TruncateABI    = 3 // Linux 6.2
	TCPABI         = 4 // Linux 6.7
	IoctlABI       = 5 // Linux 6.10
	ScopeABI       = 6 // Linux 6.12
	ResolveUnixABI = 9 // Linux 7.1

	// referABI is for renaming between directories, which is refused before it.
	referABI = 2 // Linux 5.19
)

// Support is what a system has for confining a process.
type Support struct {
	// Landlock is the version of its interface, 0 without any.
	Landlock int
	// Seccomp tells that filters of system calls are there, and that we have
	// one for this processor.
	Seccomp bool
	// Notify tells that a filter can ask us about a system call (Linux 5.9).
	Notify bool
	// Reason is why there is no Landlock, as an end of a sentence.
	Reason string
}

// lack is a rule that a system can't enforce.
type lack struct {
	what, needs string
	landlock    int
	seccomp     bool
	// notify is that asking us can take Landlock's place.
	notify bool
	asked  func(Rules) bool
}

var lacks = []lack{
	{
		what: "which files it may use", landlock: FilesABI, needs: "Linux 5.13 with Landlock",
		asked: func(r Rules) bool { return !r.AnyFiles },
	},
	{
		what: "that it can't cut off files outside", landlock: TruncateABI, needs: "Linux 6.2",
		asked: func(r Rules) bool { return !r.AnyFiles },
	},
	{
		what: "which TCP ports it may use", landlock: TCPABI, needs: "Linux 6.7",
		// With no port at all the filter refuses the sockets themselves.
		asked: func(r Rules) bool { return !r.AnyNet && r.usesTCP() },
	},
	{
		what: "that it can't signal processes outside", landlock: ScopeABI, needs: "Linux 6.12",
		asked: func(Rules) bool { return true },
	},
	{
		what:     "which Unix sockets it may use, so it would reach Docker's too",
		landlock: ResolveUnixABI, needs: "Linux 7.1, or 5.9 with seccomp notifications", notify: true,
		asked: func(r Rules) bool { return !r.AnySockets && len(r.Sockets) > 0 },
	},
	{
		what:    "that it uses no sockets or system calls that lead around its rules",
		seccomp: true, needs: "seccomp on an amd64 or arm64 processor",
		asked: func(Rules) bool { return true },
	},
}

// Missing tells which of the rules the system can't enforce, one a line, in
// words for the user; there are none when it can enforce them all.
func (r Rules) Missing(s Support) []string {
	var missing []string
	for _, l := range lacks {
		if !l.asked(r) || s.Landlock >= l.landlock && (s.Seccomp || !l.seccomp) || l.notify && s.Seccomp && s.Notify {
			continue
		}
		line := fmt.Sprintf("%s: this needs %s", l.what, l.needs)
		switch {
		case s.Reason != "":
			line += ", and " + s.Reason
		case !l.seccomp:
			line += fmt.Sprintf(", and the kernel's Landlock is of version %d where %d is needed", s.Landlock, l.landlock)
		}
		missing = append(missing, line)
	}
	return missing
}

// MissingError is that rules can't be enforced on this system.
type MissingError struct {
	// Missing is what [Rules.Missing] tells.
	Missing []string
}

func (e *MissingError) Error() string {
	text := "this system can't enforce "
	for i, m := range e.Missing {
		if i > 0 {
			text += "; "
		}
		text += m
	}
	return text
}
