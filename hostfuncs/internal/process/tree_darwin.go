package process

import "golang.org/x/sys/unix"

// zombie is SZOMB of sys/proc.h.
const zombie = 5

// orphanParent is launchd, the parent of all orphans.
func orphanParent() int { return 1 }

func becomeReaper() {}

// haveUnknownChildren returns true, so that no orphan is attributed for want of another
// tree: launchd has orphans of all programs.
func haveUnknownChildren() bool { return true }

// reap does nothing: launchd waits for orphans.
func reap(int) bool { return true }

// isEmpty asks for the group only, if the tree was never listed: what left the group
// cannot be found any more.
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

// fromKernel leaves the session out: the kernel returns only its address.
func fromKernel(k *unix.KinfoProc) entry {
	start := k.Proc.P_starttime
	return entry{
		pid: int(k.Proc.P_pid), ppid: int(k.Eproc.Ppid), pgid: int(k.Eproc.Pgid),
		start:  uint64(start.Sec)*1_000_000 + uint64(start.Usec),
		zombie: k.Proc.P_stat == zombie,
	}
}
