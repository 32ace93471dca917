//go:build unix

package process

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const errExecFormat = syscall.ENOEXEC

// batchFiles says that cmd.exe runs some programs.
const batchFiles = false

func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

func hasSeparator(name string) bool { return strings.Contains(name, "/") }

func isExecutable(info fs.FileInfo) bool { return info.Mode()&0o111 != 0 }

// mayExecute asks the system, which knows users and groups. Errors other than a
// denial are left to the start.
func mayExecute(file string) bool {
	err := unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS)
	return !errors.Is(err, fs.ErrPermission)
}

// candidates are the names that a program's file may have.
func candidates(file string) []string { return []string{file} }
