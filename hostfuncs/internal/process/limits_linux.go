package process

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// apply limits this process and its descendants.
func (l Limits) apply() error {
	for _, bound := range []struct {
		resource int
		at       uint64
	}{{unix.RLIMIT_NOFILE, l.OpenFiles}, {unix.RLIMIT_NPROC, l.processes()}} {
		if bound.at == 0 {
			continue
		}
		var now syscall.Rlimit
		if err := syscall.Getrlimit(bound.resource, &now); err != nil {
			return err
		}
		// The syscall package's own function: after it, Go does not restore the
		// original number of open files in programs that it starts.
		at := min(bound.at, now.Max)
		if err := syscall.Setrlimit(bound.resource, &syscall.Rlimit{Cur: at, Max: at}); err != nil {
			return err
		}
	}
	return nil
}

// processes adds the existing processes of the user, because the kernel counts
// them.
func (l Limits) processes() uint64 {
	if l.Processes == 0 {
		return 0
	}
	return l.Processes + tasksOf(unix.Getuid())
}

// tasksOf counts the threads of a user, see proc_pid_status(5).
func tasksOf(uid int) (count uint64) {
	for _, e := range processes() {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(e.pid) + "/status")
		if err != nil {
			continue
		}
		var owner, threads string
		for line := range strings.Lines(string(status)) {
			name, value, _ := strings.Cut(line, ":")
			if fields := strings.Fields(value); len(fields) > 0 {
				switch name {
				case "Uid":
					owner = fields[0]
				case "Threads":
					threads = fields[0]
				}
			}
		}
		if n, err := strconv.ParseUint(threads, 10, 32); err == nil && owner == strconv.Itoa(uid) {
			count += n
		}
	}
	return count
}
