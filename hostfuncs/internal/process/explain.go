package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// explain turns the system's word for a failed start into one for the user. It
// looks at the files again: the error number alone doesn't say which file it
// speaks of.
func explain(c Command, err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	words := ""
	if errors.Is(err, errFileChanged) {
		words = "it is not the file any more that was decided on"
	}
	if c.Confine != nil && errors.Is(err, syscall.EACCES) {
		words = "what it is confined to has it not, or not what interprets it"
	}
	if words == "" {
		words = explainDir(c.Dir)
	}
	if words == "" {
		words = explainFile(c.Program, err)
	}
	if words == "" {
		return &StartError{c.Program, err}
	}
	return &StartError{c.Program, &reason{words, err}}
}

func explainDir(dir string) string {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("the directory %s to run in does not exist", dir)
	case err == nil && !info.IsDir():
		return fmt.Sprintf("%s, to run in, is no directory", dir)
	}
	return ""
}

func explainFile(program string, err error) string {
	info, statErr := os.Stat(program)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return "there is no such file"
	case statErr != nil:
		return ""
	case info.IsDir():
		return "is a directory"
	case !info.Mode().IsRegular():
		return "is no regular file"
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
			return fmt.Sprintf("the system does not allow to run it or its interpreter %s", interpreter)
		}
		return "the system does not allow to run it"
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
		return "its #! line is not understood by the system"
	}
	return "is neither a program nor a script: a script needs a first line like #!/bin/sh"
}

func explainInterpreter(head []byte) string {
	interpreter, ok := interpreterOf(head)
	switch {
	case !ok:
		return "the loader that it was built for does not exist here"
	case strings.HasSuffix(interpreter, "\r"):
		return "its first line ends in a carriage return, so its interpreter is not found: save it with Unix line ends"
	}
	return fmt.Sprintf("its interpreter %s does not exist", interpreter)
}

// interpreterOf reads the program of a #! line, a carriage return included.
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

// head is the start of a file, as far as the kernel looks for a #! line.
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
