package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

const errExecFormat = windows.ERROR_BAD_EXE_FORMAT

// batchFiles says that some programs are run by cmd.exe.
const batchFiles = true

func brokenPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}

func hasSeparator(name string) bool { return strings.ContainsAny(name, `/\:`) }

// isExecutable: here the name alone says so, see candidates.
func isExecutable(fs.FileInfo) bool { return true }

// SignalName is a signal's name, as Go has it.
func SignalName(number syscall.Signal) string { return number.String() }

func mayExecute(string) bool { return true }

// candidates are the names that a program's file may have.
func candidates(file string) []string {
	extensions := strings.Split(strings.ToLower(os.Getenv("PATHEXT")), ";")
	extensions = slices.DeleteFunc(extensions, func(e string) bool { return !strings.HasPrefix(e, ".") })
	if len(extensions) == 0 {
		extensions = []string{".com", ".exe", ".bat", ".cmd"}
	}
	var names []string
	if slices.Contains(extensions, strings.ToLower(filepath.Ext(file))) {
		names = append(names, file)
	}
	for _, extension := range extensions {
		names = append(names, file+extension)
	}
	return names
}
