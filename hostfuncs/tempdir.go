package hostfuncs

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tempName is what the folders for temporary files of confined runs begin with.
// The process's ID and - follow.
const tempName = "stagecraft-run-"

// newTempDir makes a folder for the temporary files of this run, so that the
// common one, in which others have theirs, need not be open to it. Runs that
// were killed have left theirs: they go first.
func newTempDir() (string, error) {
	common, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		return "", err
	}
	left, _ := filepath.Glob(filepath.Join(common, tempName+"*"))
	for _, dir := range left {
		if isAbandoned(dir) {
			_ = os.RemoveAll(dir)
		}
	}
	return os.MkdirTemp(common, tempName+strconv.Itoa(os.Getpid())+"-*")
}

// isAbandoned tells whether a folder is one of a process that is no more. That
// of another user can't be removed, as a rule by the system.
func isAbandoned(dir string) bool {
	pid, _, ok := strings.Cut(strings.TrimPrefix(filepath.Base(dir), tempName), "-")
	n, err := strconv.Atoi(pid)
	if !ok || err != nil || n <= 0 {
		return false
	}
	process, err := os.FindProcess(n)
	if err != nil {
		return true // Windows says so
	}
	defer process.Release()
	return process.Signal(syscall.Signal(0)) == os.ErrProcessDone
}
