package confine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// named is a path as a call has it, with the directory that it begins at if it is
// relative.
type named struct {
	dir  int32
	path string
	// empty is that an empty path stands for the directory, which may be a file.
	empty bool
}

// name is the path of an argument, seen from the current directory. One that can't
// be read is empty.
func (l looker) name(arg int) named {
	return named{dir: unix.AT_FDCWD, path: l.text(l.args[arg])}
}

// at is the path of an argument, seen from the directory of another.
func (l looker) at(dir, arg int) named {
	return named{dir: int32(l.args[dir]), path: l.text(l.args[arg])}
}

// atOr is the same for a call that takes an empty path, if its flags say so.
func (l looker) atOr(dir, arg, flags int) named {
	n := l.at(dir, arg)
	n.empty = l.args[flags]&unix.AT_EMPTY_PATH != 0
	return n
}

// text reads from the program's memory up to a NUL byte. What is behind that may
// be nobody's, so that no more than a page is asked for at once.
func (l looker) text(at uint64) string {
	const page = 4096
	var text []byte
	for len(text) < maxPath {
		part := make([]byte, page-at%page)
		if !l.read(at, part) {
			return ""
		}
		if end := bytes.IndexByte(part, 0); end >= 0 {
			return string(append(text, part[:end]...))
		}
		text, at = append(text, part...), at+uint64(len(part))
	}
	return ""
}

// read fills data from the program's memory. One that hides it, as some that
// keep secrets do, can't be looked into by others than root.
func (l looker) read(at uint64, data []byte) bool {
	local := []unix.Iovec{{Base: &data[0]}}
	local[0].SetLen(len(data))
	got, err := unix.ProcessVMReadv(l.thread, local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(data)}}, 0)
	return err == nil && got == len(data)
}

// lookUp finds what a path leads the program to, as the kernel would; info is nil
// where nothing is there, and the directory that it would be in is.
func (l looker) lookUp(n named, follow bool) (at string, info fs.FileInfo, ok bool) {
	if n.path == "" && !n.empty {
		return "", nil, false
	}
	base := "/"
	if !path.IsAbs(n.path) {
		link := fmt.Sprintf("/proc/%d/cwd", l.thread)
		if n.dir != unix.AT_FDCWD {
			link = fmt.Sprintf("/proc/%d/fd/%d", l.thread, n.dir)
		}
		var err error
		if base, err = os.Readlink(link); err != nil || !path.IsAbs(base) {
			return "", nil, false
		}
	}
	at, info, ok = l.walk(base, n.path, follow)
	return unnumbered(at), info, ok
}

// maxLinks is how many the kernel follows in one path.
const maxLinks = 40

// walk goes from a directory without links along a path.
func (l looker) walk(at, name string, follow bool) (string, fs.FileInfo, bool) {
	follow = follow || strings.HasSuffix(name, "/")
	info, err := os.Lstat(at)
	links := 0
	for rest := wordsOf(name); len(rest) > 0; {
		if err != nil {
			return "", nil, false // this is no directory to go on from
		}
		at, rest = l.step(at, rest[0]), rest[1:]
		if info, err = os.Lstat(at); err != nil || info.Mode()&fs.ModeSymlink == 0 || len(rest) == 0 && !follow {
			continue
		}
		target, linkErr := os.Readlink(at)
		links++
		switch {
		case linkErr != nil || links > maxLinks:
			return "", nil, false
		case path.IsAbs(target):
			at = "/"
		case strings.HasPrefix(at, "/proc/") && strings.Contains(target, ":"):
			return "", nil, false // a pipe, or a socket
		default:
			at = path.Dir(at)
		}
		rest = append(wordsOf(target), rest...)
		info, err = os.Lstat(at)
	}
	switch {
	case err == nil:
		return at, info, true
	case errors.Is(err, fs.ErrNotExist):
		return at, nil, true
	}
	return "", nil, false
}

// step goes to what a directory has under a name.
func (l looker) step(at, word string) string {
	switch {
	case word == "..":
		return path.Dir(at)
	case at == "/proc" && (word == "self" || word == "thread-self"):
		// These lead each process to itself, us too.
		word = strconv.Itoa(l.thread)
	}
	return path.Join(at, word)
}

// wordsOf are the names in a path.
func wordsOf(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(word string) bool { return word == "" || word == "." })
}

// unnumbered leaves out which process something in /proc is of: the next time it
// will be another.
func unnumbered(at string) string {
	rest, ok := strings.CutPrefix(at, "/proc/")
	word, _, _ := strings.Cut(rest, "/")
	if _, err := strconv.ParseUint(word, 10, 32); ok && err == nil {
		return "/proc"
	}
	return at
}

// maxInterpreter is what the kernel reads of a script's first line, in bytes.
const maxInterpreter = 256

// interpreter is the program that a script names, empty where it is none.
func interpreter(file string) string {
	f, err := safefile.Open(file, os.O_RDONLY)
	if err != nil {
		return ""
	}
	defer f.Close()
	data := make([]byte, maxInterpreter)
	n, _ := f.Read(data)
	line, ok := strings.CutPrefix(string(data[:n]), "#!")
	line, _, _ = strings.Cut(line, "\n")
	words := strings.Fields(line)
	if !ok || len(words) == 0 {
		return ""
	}
	return words[0]
}
