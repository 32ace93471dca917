package process

import (
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// errFileChanged is a number that no system call here returns.
const errFileChanged = unix.ESTALE

// startConfined starts the program with its limits and its confinement. What a
// thread starts inherits the confinement. The thread must not be the first, because
// its rights are those of the whole guard for the kernel, and it must stay alive.
func (g *guard) startConfined(p guardPlan) error {
	if err := p.limits.apply(); err != nil {
		return err
	}
	if p.confine == nil && !p.watch {
		return g.start(p)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if p.watch {
			done <- g.startWatched(p)
			select {}
		}
		broker, err := p.confine.Apply(confine.Probe(), p.files()...)
		if err != nil {
			done <- errors.Join(errNotConfined, err)
			return
		}
		if broker != nil {
			go broker.Serve()
		}
		done <- g.start(p)
		select {}
	}()
	return <-done
}

// start uses ForkExec because it needs none of the handles of os.StartProcess.
func (g *guard) start(p guardPlan) (err error) {
	path, err := p.programPath()
	if err != nil {
		return err
	}
	dir := p.dir
	if p.opened {
		dir = descriptor(guardDir)
	}
	g.root, err = syscall.ForkExec(path, p.argv, &syscall.ProcAttr{
		Dir: dir, Env: p.env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, Pgid: int(p.group)},
	})
	return err
}

// startWatched starts the program from the calling thread, and reports what its tree
// uses. Each use is reported before its system call returns, so all of them are
// reported before the tree is empty. If that is impossible, the program runs anyway.
func (g *guard) startWatched(p guardPlan) error {
	// The thread that starts the program is blocked until the watch has handled the
	// program's first call. So the watch needs another thread, and no collector that
	// waits for the blocked one.
	runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0)))
	percent := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(percent)
	watch, err := confine.NewWatch()
	if err != nil {
		g.sendText(guardMissed, []byte(err.Error()))
		return g.start(p)
	}
	go watch.Serve(
		func(u confine.Use) { g.sendText(guardUsed, u.Encode()) },
		func() { g.say(guardMore) },
	)
	return g.start(p)
}

// programPath is a path that leads to the planned program only. Nobody can make the
// path of a descriptor lead elsewhere.
func (p guardPlan) programPath() (string, error) {
	if p.is == (identity{}) {
		return p.program, nil
	}
	if now, err := identify(guardProgram); err != nil {
		return "", err
	} else if now != p.is {
		return "", errFileChanged
	}
	switch p.how {
	case byDescriptor:
		return descriptor(guardProgram), nil
	case byOpenFile:
		_, err := unix.FcntlInt(guardProgram, unix.F_SETFD, 0)
		return descriptor(guardProgram), err
	}
	// Compared as late as possible before the kernel and the interpreter open it.
	var s unix.Stat_t
	if err := unix.Stat(p.program, &s); err != nil {
		return "", err
	}
	if identityOf(&s) != p.is {
		return "", errFileChanged
	}
	return p.program, nil
}

// files are those that the program may read and run in any case.
func (p guardPlan) files() []int {
	if p.is == (identity{}) {
		return nil
	}
	return []int{guardProgram}
}

// closeProgramFiles closes the guard's copies of the program's descriptors.
func (p guardPlan) closeProgramFiles() {
	if p.is != (identity{}) {
		_ = unix.Close(guardProgram)
	}
	if p.opened {
		_ = unix.Close(guardDir)
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	for fd := range guardLine {
		_ = unix.Dup3(null, fd, unix.O_CLOEXEC)
	}
	_ = unix.Close(null)
}

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
