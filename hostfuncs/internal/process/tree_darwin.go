package process

import (
	"golang.org/x/sys/unix"
)

// zombie is SZOMB of sys/proc.h.
const zombie = 5

// orphanParent is launchd, which takes all orphans.
func orphanParent() int { return 1 }

func becomeReaper() {}

// haveChildren is never asked to tell whose an orphan is: those of launchd can
// be anybody's.
func haveUnknownChildren() bool { return true }

// reap: orphans are launchd's to wait for.
func reap(int) bool { return true }

// isEmpty needs no list if there never was one: what left the group then can't
// be found any more.
func (t *tree) isEmpty() bool {
	return len(t.seen) == 1 && !t.shared && !t.groupLives() || len(orphans.members(t)) == 0
}

func (t *tree) supervise() {}

func processes() []entry {
	list, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil
	}
	entries := make([]entry, len(list))
	for i := range list {
		entries[i] = fromKernel(&list[i])
	}
	return entries
}

func look(pid int) (entry, bool) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return entry{}, false
	}
	return fromKernel(info), true
}

// fromKernel leaves the session out: the kernel gives but its address.
func fromKernel(k *unix.KinfoProc) entry {
	start := k.Proc.P_starttime
	return entry{
		pid: int(k.Proc.P_pid), ppid: int(k.Eproc.Ppid), pgid: int(k.Eproc.Pgid),
		start:  uint64(start.Sec)*1_000_000 + uint64(start.Usec),
		zombie: k.Proc.P_stat == zombie,
	}
}
