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
	"golang.org/x/term"
)

const errExecFormat = windows.ERROR_BAD_EXE_FORMAT

// batchFiles says that cmd.exe runs some programs.
const batchFiles = true

func brokenPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}

func hasSeparator(name string) bool { return strings.ContainsAny(name, `/\:`) }

// isExecutable: on Windows only the name says so, see candidates.
func isExecutable(fs.FileInfo) bool { return true }

// SignalName is a signal's name, as in Go.
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

// Pass does nothing: the only signals of Windows end a program.
func Pass(syscall.Signal) bool { return false }

// Interactive returns false: Ctrl-C in a console goes to all its programs.
func Interactive() bool { return false }

// StillRunning lists nothing: all processes of a job end with it.
func StillRunning() []Stayed { return nil }

// terminal is the console's mode before a child shared it.
type terminal struct{ state *term.State }

func saveTerminal(shared bool) terminal {
	if !shared {
		return terminal{}
	}
	// If its mode cannot be read, the console is left as it is.
	state, _ := term.GetState(int(os.Stdin.Fd()))
	return terminal{state}
}

func (t terminal) restore() {
	if t.state != nil {
		_ = term.Restore(int(os.Stdin.Fd()), t.state)
	}
}
