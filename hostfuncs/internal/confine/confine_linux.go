package confine

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

// Prepared is what a process needs to apply rules to itself, permanently, and to
// every process that it starts. It has to be closed.
type Prepared struct {
	Restrictions guard.Restrictions
	// Ruleset is a Landlock ruleset, nil for none.
	Ruleset *os.File
	rules   Rules
}

// Prepare opens what the rules allow and compiles a filter. The open files among
// programs may be run too, whatever their path.
//
// # Notes
//
// For the kernel, the process that applies the rules is one of the confined processes,
// which may signal each other. So it must do nothing except execute the program. The
// protected processes stay outside. Landlock refuses signals to them. The filter
// refuses them too, except for signals to other threads, whose numbers it cannot know.
//
// No started program gains rights, so sudo and ping fail. One that runs as root keeps
// few of root's capabilities. One for another type of processor than ours, such as a
// 32-bit one, is killed with SIGSYS.
//
// # Errors
//
// A [*MissingError] if the system does not support all rules, unless they are best
// effort.
func (r Rules) Prepare(s Support, protected []int, programs ...int) (*Prepared, error) {
	if missing := r.Missing(s); len(missing) > 0 && !r.BestEffort {
		return nil, &MissingError{Missing: missing}
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	p := &Prepared{rules: r, Restrictions: guard.Restrictions{
		Hide: true, Capabilities: true, Keep: kept, NoNewPrivs: true,
	}}
	if s.Seccomp {
		p.Restrictions.Filter = encodeFilter(compile(newFilter(r, s, protected), kill))
		if r.socketMode(s) == socketsBrokered {
			p.Restrictions.Flags = listenerFlags()
		}
	}
	var err error
	if p.Ruleset, err = newRuleset(r, s.Landlock, programs...); err != nil {
		return nil, err
	}
	p.Restrictions.Ruleset = p.Ruleset != nil
	return p, nil
}

// Broker makes the connections of the processes whose filter reports to the listener.
func (p *Prepared) Broker(listener *os.File) *Broker {
	return &Broker{listener: listener, rules: p.rules}
}

// Close implements [io.Closer].
func (p *Prepared) Close() error {
	if p == nil || p.Ruleset == nil {
		return nil
	}
	return p.Ruleset.Close()
}

// kept are the capabilities that root keeps: for what tools do to files as root,
// which Landlock restricts or any file's owner may do, for becoming another user, and
// for ports below 1024. All others bypass the rules, such as CAP_PERFMON, which reads
// the memory of any process, CAP_DAC_READ_SEARCH, which opens files by number, and
// CAP_MKNOD, which gives access to disks; or they concern the whole system.
const kept uint64 = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER | 1<<unix.CAP_FSETID |
	1<<unix.CAP_SETGID | 1<<unix.CAP_SETUID | 1<<unix.CAP_NET_BIND_SERVICE
