package confine

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestProcesses(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		other := strconv.Itoa(p.outside(t))
		// With CAP_PERFMON the kernel does not ask Landlock.
		seen := guards{skip: "landlock"}
		if u.id == 0 {
			seen = guards{skip: "capabilities"}
		}
		// Nor would root, without its capabilities, reach a process that has them.
		unscheduled := noSeccomp
		if u.id == 0 {
			unscheduled = guards{skip: "seccomp capabilities"}
		}
		call := func(args ...int) []string {
			argv := []string{"call"}
			for _, a := range args {
				argv = append(argv, strconv.Itoa(a))
			}
			return argv
		}
		p.checkAttempts(t, []attempt{
			{name: "signal", argv: []string{"kill", other}, want: "EPERM", away: guards{landlock: ScopeABI - 1}, bare: "ok"},
			{name: "signal the guard", argv: []string{"kill-guard"}, want: "EPERM", away: guards{skip: "seccomp landlock"}, bare: "ok"},
			{name: "signal a thread of the guard", argv: []string{"kill-thread"}, want: "EPERM", away: guards{skip: "seccomp landlock"}, bare: "ok"},
			{name: "signal a thread of the guard by a file", argv: []string{"pidfd-thread"}, want: "EPERM", away: guards{skip: "seccomp landlock"}, bare: "ok"},
			{name: "signal all", argv: []string{"kill-all"}, want: "EPERM", away: noSeccomp, bare: "ok"},
			{name: "signal oneself", argv: []string{"threads"}, want: "ok"},
			{name: "confining once more", argv: []string{"nested"}, want: "ok"},
			{name: "environment", argv: []string{"environ", other}, want: "EACCES", away: seen, bare: "ok"},
			{name: "memory of the guard", argv: []string{"guard-memory"}, want: "EACCES", away: guards{skip: "undumpable landlock capabilities"}, bare: "ok"},
			{name: "limits", argv: []string{"limits", other}, want: "EPERM", away: noSeccomp, bare: "ok"},
			{name: "scheduling", argv: call(unix.SYS_SCHED_SETSCHEDULER, number(other), 0, 0), want: "EPERM", away: unscheduled, bare: "EINVAL"},
			{name: "scheduling by parameters", argv: call(unix.SYS_SCHED_SETPARAM, number(other), 0), want: "EPERM", away: unscheduled, bare: "EINVAL"},
			{name: "scheduling by attributes", argv: call(unix.SYS_SCHED_SETATTR, number(other), 0, 0), want: "EPERM", away: unscheduled, bare: "EINVAL"},
			{name: "processors", argv: call(unix.SYS_SCHED_SETAFFINITY, number(other), 0, 0), want: "EPERM", away: unscheduled, bare: "EINVAL"},
			{name: "priority", argv: call(unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, number(other), 19), want: "EPERM", away: unscheduled, bare: "ok"},
			{name: "priority of a group", argv: call(unix.SYS_SETPRIORITY, unix.PRIO_PGRP, number(other), 19), want: "EPERM", away: unscheduled, bare: "ok"},
			{name: "priority of a user", argv: call(unix.SYS_SETPRIORITY, unix.PRIO_USER, nobody-1, 19), want: "EPERM", away: unscheduled, bare: "ESRCH"},
			{name: "priority of disks", argv: call(unix.SYS_IOPRIO_SET, 1, number(other), ioprioLow), want: "EPERM", away: unscheduled, bare: "ok"},
			{name: "priority of disks of a group", argv: call(unix.SYS_IOPRIO_SET, 2, number(other), ioprioLow), want: "EPERM", away: unscheduled, bare: "ok"},
			{name: "own scheduling", argv: []string{"schedule-oneself"}, want: "ok"},
			{name: "ptrace", argv: []string{"ptrace", other}, want: "EPERM", away: guards{skip: "seccomp landlock capabilities"}, bare: "ok"},

			{name: "a signal to a thread by a file", argv: call(unix.SYS_FCNTL, 0, unix.F_SETOWN_EX, -1), want: "EPERM", away: noSeccomp, bare: "EFAULT"},
			{name: "typing", argv: call(unix.SYS_IOCTL, 0, unix.TIOCSTI, 0), want: "EPERM", away: noSeccomp, bare: "ENOTTY"},
			{name: "selecting", argv: call(unix.SYS_IOCTL, 0, unix.TIOCLINUX, 0), want: "EPERM", away: noSeccomp, bare: "ENOTTY"},
			{name: "a namespace by unshare", argv: call(unix.SYS_UNSHARE, unix.CLONE_NEWUTS), want: "EPERM", rootOnly: true,
				away: guards{skip: "seccomp capabilities"}, bare: "ok"},
			{name: "a namespace by clone", argv: []string{"namespace"}, want: "EPERM", away: guards{skip: "seccomp"}, bare: "ok"},
			{name: "a namespace by clone3", argv: call(unix.SYS_CLONE3, 0, 0), want: "ENOSYS", away: noSeccomp, bare: "EINVAL"},
			{name: "to a namespace", argv: call(unix.SYS_SETNS, -1, 0), want: "EPERM", away: noSeccomp, bare: "EBADF"},
			{name: "io_uring", argv: call(unix.SYS_IO_URING_SETUP, 1, 0), want: "ENOSYS", away: noSeccomp, bare: "EFAULT"},
			{name: "a mount", argv: call(unix.SYS_UMOUNT2, 0, 0), want: "EPERM", rootOnly: true,
				away: guards{skip: "seccomp capabilities"}, bare: "EFAULT"},
			{name: "memory by a call", argv: call(unix.SYS_PROCESS_VM_READV, -1, 0, 0, 0, 0, 0), want: "EPERM", away: noSeccomp, bare: "ok"},
			{name: "another's file", argv: call(unix.SYS_PIDFD_GETFD, -1, -1, 0), want: "EPERM", away: noSeccomp, bare: "EBADF"},
			{name: "a file by number", argv: call(unix.SYS_OPEN_BY_HANDLE_AT, -1, 0, 0), want: "EPERM", rootOnly: true,
				away: guards{skip: "seccomp capabilities"}, bare: "EFAULT"},
			{name: "calls that are always refused", argv: []string{"always-refused"}, want: "ok", away: noSeccomp, bare: "some are open"},

			{name: "no new rights", argv: []string{"status", "NoNewPrivs"}, want: "NoNewPrivs: 1",
				away: guards{skip: "new seccomp landlock"}, bare: "NoNewPrivs: 0"},
			{name: "capabilities", argv: []string{"status", "CapEff"}, want: "CapEff: 00000000000004db", rootOnly: true,
				away: guards{skip: "capabilities"}, bare: full(t)},
			{name: "capabilities to get back", argv: []string{"status", "CapBnd"}, want: "CapBnd: 00000000000004db", rootOnly: true,
				away: guards{skip: "capabilities"}, bare: "CapBnd" + full(t)[len("CapEff"):]},
		})
	})
}

// TestUnscoped has a Landlock that does not scope signals: the filter then refuses what
// it can. It cannot know the threads of the guard.
func TestUnscoped(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		r := p.rules()
		r.BestEffort = true
		for _, tt := range []struct {
			argv string
			want string
		}{
			{"kill-guard", "EPERM"},
			{"kill-all", "EPERM"},
			{fmt.Sprint("call ", unix.SYS_FCNTL, " 0 ", unix.F_SETOWN, " 1"), "EPERM"},
			{fmt.Sprint("call ", unix.SYS_FCNTL, " 0 ", unix.F_SETOWN_EX, " 0"), "EPERM"},
			{fmt.Sprint("call ", unix.SYS_FCNTL, " 0 ", unix.F_SETSIG, " 9"), "EPERM"},
			{fmt.Sprint("call ", unix.SYS_IOCTL, " 0 ", fioSetOwn, " 0"), "EPERM"},
			{fmt.Sprint("call ", unix.SYS_IOCTL, " 0 ", siocSetGroup, " 0"), "EPERM"},
			{fmt.Sprint("call ", unix.SYS_PIDFD_SEND_SIGNAL, " -1 0 0 0"), "ENOSYS"},
			{"threads", "ok"},
		} {
			argv := append([]string{p.self}, strings.Fields(tt.argv)...)
			if got := p.run(t, r, guards{landlock: ScopeABI - 1}, argv...); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.argv, got, tt.want)
			}
		}
	})
}

// TestSetUserID tries each call that changes a mode, with bad files.
func TestSetUserID(t *testing.T) {
	forUsers(t, func(t *testing.T, u user) {
		p := newPlace(t, u)
		calls := map[int]int{unix.SYS_FCHMOD: 1, unix.SYS_FCHMODAT: 2, unix.SYS_FCHMODAT2: 2}
		for _, number := range archChmod {
			calls[int(number)] = 1
		}
		for number, arg := range calls {
			for mode, want := range map[string]bool{"04755": true, "02755": false, "0755": false} {
				args := []string{"-1", "0", "0"}
				args[arg] = mode
				argv := append([]string{p.self, "call", strconv.Itoa(number)}, args...)
				if got := p.run(t, p.rules(), guards{}, argv...); (got == "EPERM") != want {
					t.Errorf("call %d with %s: got %q", number, mode, got)
				}
			}
		}
	})
}

// full is the line of status with our own capabilities.
func full(t *testing.T) string {
	t.Helper()
	return tryStatus([]string{"CapEff"}).Error()
}
