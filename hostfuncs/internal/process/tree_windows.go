package process

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tree is a direct child and its descendants: the processes of a job object. It does
// not include processes that Windows let leave the job.
type tree struct {
	process *os.Process
	shared  bool // it gets our console's Ctrl-C, else it leads a group
	job     windows.Handle
	events  chan os.Signal // none on Windows
	exit    chan exited
}

// launchTree starts a command's program inside a job. The program is created
// suspended, so that it never runs outside of the job.
func launchTree(c Command, files [3]*os.File, shared bool) (*tree, error) {
	job, err := newJob()
	if err != nil {
		return nil, err
	}
	flags := uint32(windows.CREATE_SUSPENDED)
	if !shared {
		flags |= windows.CREATE_NEW_PROCESS_GROUP
	}
	process, err := os.StartProcess(c.Program, c.Argv, &os.ProcAttr{
		Dir: c.Dir, Env: append([]string{}, c.Env...), Files: files[:],
		Sys: &syscall.SysProcAttr{CreationFlags: flags},
	})
	if err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	t := &tree{process: process, shared: shared, job: job, exit: make(chan exited, 1)}
	if err := t.wake(); err != nil {
		_ = process.Kill()
		_, _ = process.Wait()
		t.close()
		return nil, err
	}
	go func() {
		// Windows has no signals: a process ends with a code.
		state, err := process.Wait()
		t.exit <- exited{code: state.ExitCode(), err: err}
	}()
	return t, nil
}

func (t *tree) exited() <-chan exited { return t.exit }

func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, os.NewSyscallError("CreateJobObject", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		windows.CloseHandle(job)
		return 0, os.NewSyscallError("SetInformationJobObject", err)
	}
	return job, nil
}

// wake puts the suspended child into the job and resumes it.
func (t *tree) wake() error {
	var assignErr error
	err := t.process.WithHandle(func(handle uintptr) {
		assignErr = windows.AssignProcessToJobObject(t.job, windows.Handle(handle))
	})
	if err = errors.Join(err, os.NewSyscallError("AssignProcessToJobObject", assignErr)); err != nil {
		return err
	}
	return resume(uint32(t.process.Pid))
}

// resume resumes the only thread of a process that was created suspended.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return os.NewSyscallError("CreateToolhelp32Snapshot", err)
	}
	defer windows.CloseHandle(snapshot)
	e := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snapshot, &e); err == nil; err = windows.Thread32Next(snapshot, &e) {
		if e.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, e.ThreadID)
		if err != nil {
			return os.NewSyscallError("OpenThread", err)
		}
		defer windows.CloseHandle(thread)
		_, err = windows.ResumeThread(thread)
		return os.NewSyscallError("ResumeThread", err)
	}
	return os.NewSyscallError("Thread32Next", err)
}

func (t *tree) close() { windows.CloseHandle(t.job) }

func (t *tree) gone() {}

// gotToo reports whether the child gets the console's Ctrl-C itself.
func (t *tree) gotToo(syscall.Signal) bool { return t.shared }

func (t *tree) supervise() {}

func (t *tree) empty() bool { return t.count() == 0 }

// accounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION.
type accounting struct {
	totalUser, totalKernel, periodUser, periodKernel  int64
	pageFaults, processes, active, endedByLimitOfTime uint32
}

func (t *tree) count() int {
	var info accounting
	err := windows.QueryInformationJobObject(t.job, windows.JobObjectBasicAccountingInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)), nil)
	if err != nil {
		return 0
	}
	return int(info.active)
}

// signal sends Ctrl-Break, the only signal that another process group can be sent. A
// child that shares the console has already got the user's Ctrl-C.
func (t *tree) signal(syscall.Signal) {
	if !t.shared {
		_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(t.process.Pid))
	}
}

func (t *tree) kill() { _ = windows.TerminateJobObject(t.job, 1) }
