package process

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// StartError reports a program that cannot be started.
type StartError struct {
	// Program is the file, absolute if known.
	Program string
	// Err says why.
	Err error
	// reason, if set, says in words for the user what Err means.
	reason string
}

func (e *StartError) Error() string { return e.Program + ": " + cmp.Or(e.reason, e.Err.Error()) }

func (e *StartError) Unwrap() error { return e.Err }

// startError reports a file that cannot be run; of a [fs.PathError] it takes the
// reason only.
func startError(file string, err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return &StartError{Program: file, Err: err}
}

var errNotConfined = errors.New("cannot be confined on this system")

// NotFoundError reports a program whose file does not exist.
type NotFoundError struct {
	// Name is the program as it was written.
	Name string
	// Searched are the directories of PATH that were searched, in order, or the
	// one file that Name stands for if it contains a slash.
	Searched []string
}

func (e *NotFoundError) Error() string {
	switch {
	case e.Name == "":
		return "the program's name is empty"
	case hasSeparator(e.Name):
		return fmt.Sprintf("%s: no such file (looked for %s)", e.Name, strings.Join(e.Searched, ", "))
	case len(e.Searched) == 0:
		return fmt.Sprintf("%s: not found, PATH has no absolute directory", e.Name)
	}
	return e.Name + ": not found in PATH"
}

// explain says why a start failed. It inspects the files again, because an error
// number does not say which file it is about.
func explain(c Command, err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	var reason string
	switch {
	case errors.Is(err, errFileChanged):
		reason = "the file has changed since it was decided on"
	case c.Confine != nil && errors.Is(err, syscall.EACCES):
		reason = "the policy does not allow this file or its interpreter"
	default:
		reason = cmp.Or(explainDir(c.Dir), explainFile(c.Program, err))
	}
	return &StartError{c.Program, err, reason}
}

func explainDir(dir string) string {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("the working directory %s does not exist", dir)
	case err == nil && !info.IsDir():
		return fmt.Sprintf("the working directory %s is not a directory", dir)
	}
	return ""
}

func explainFile(program string, err error) string {
	info, statErr := os.Stat(program)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return "no such file"
	case statErr != nil:
		return ""
	case info.IsDir():
		return "is a directory"
	case !info.Mode().IsRegular():
		return "is not a regular file"
	case !isExecutable(info):
		return "is not executable"
	case errors.Is(err, syscall.E2BIG):
		return "its arguments and environment are too large for the system"
	case errors.Is(err, syscall.ETXTBSY):
		return "is being written to"
	case errors.Is(err, errExecFormat):
		return explainFormat(head(program))
	case errors.Is(err, fs.ErrNotExist):
		return explainInterpreter(head(program))
	case errors.Is(err, fs.ErrPermission):
		if interpreter, ok := interpreterOf(head(program)); ok {
			return fmt.Sprintf("the system does not allow running it or its interpreter %s", interpreter)
		}
		return "the system does not allow running it"
	}
	return ""
}

func explainFormat(head []byte) string {
	switch {
	case len(head) == 0:
		return "is an empty file"
	case bytes.HasPrefix(head, []byte("\x7fELF")), bytes.HasPrefix(head, []byte("MZ")),
		bytes.HasPrefix(head, []byte("\xcf\xfa\xed\xfe")):
		return "is damaged or was built for another system or processor"
	case bytes.HasPrefix(head, []byte("#!")):
		return "the system does not understand its #! line"
	}
	return "is neither a program nor a script: a script needs a first line like #!/bin/sh"
}

func explainInterpreter(head []byte) string {
	interpreter, ok := interpreterOf(head)
	switch {
	case !ok:
		return "the loader that it was built for does not exist"
	case strings.HasSuffix(interpreter, "\r"):
		return "its first line ends in a carriage return, so its interpreter is not found: save it with Unix line ends"
	}
	return fmt.Sprintf("its interpreter %s does not exist", interpreter)
}

// interpreterOf returns the program of a #! line, a carriage return included.
func interpreterOf(head []byte) (string, bool) {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return "", false
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	line = bytes.TrimLeft(line, " \t")
	if i := bytes.IndexAny(line, " \t"); i >= 0 {
		line = line[:i]
	}
	return string(line), true
}

// head returns as much of a file as the kernel reads to find a #! line.
func head(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	buf := make([]byte, 256)
	n, _ := io.ReadFull(f, buf)
	return buf[:n]
}
