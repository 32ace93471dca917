package exec

import "github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"

// Support is what the running system can enforce on confined commands.
type Support struct {
	// Landlock is the version of its interface, 0 without it; Reason says why.
	Landlock int
	Reason   string
	// Seccomp says that filters of system calls are available, and Notify that a filter
	// can ask about a call.
	Seccomp, Notify bool
	// Missing says what cannot be enforced of all that policies can require, one a line.
	Missing []string
}

// Supports asks the system, and changes nothing.
func Supports() Support {
	s := confine.Probe()
	// Rules that use every part: files, ports and sockets.
	all := confine.Rules{Connect: []uint16{1}, Sockets: []string{"/"}}
	return Support{Landlock: s.Landlock, Reason: s.Reason, Seccomp: s.Seccomp, Notify: s.Notify, Missing: all.Missing(s)}
}
