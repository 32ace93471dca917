//go:build unix

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const errExecFormat = syscall.ENOEXEC

// batchFiles says that some programs are run by cmd.exe.
const batchFiles = false

func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

func hasSeparator(name string) bool { return strings.Contains(name, "/") }

func isExecutable(info fs.FileInfo) bool { return info.Mode()&0o111 != 0 }

// mayExecute asks the system, which knows users and groups. Where it can't
// say, the start will.
func mayExecute(file string) bool {
	err := unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS)
	return !errors.Is(err, fs.ErrPermission)
}

// candidates are the names that a program's file may have.
func candidates(file string) []string { return []string{file} }

// exitStatus tells how a shell would report a process, and the signal that
// ended it.
func exitStatus(status syscall.WaitStatus) (code int, name string) {
	if !status.Signaled() {
		return status.ExitStatus(), ""
	}
	number := status.Signal()
	return 128 + int(number), SignalName(number)
}

// SignalName is a signal's name, such as SIGINT.
func SignalName(number syscall.Signal) string {
	if name := unix.SignalName(number); name != "" {
		return name
	}
	return fmt.Sprintf("SIG%d", int(number))
}
