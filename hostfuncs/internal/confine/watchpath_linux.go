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

// named is a path as a call names it, with the directory that a relative one starts
// from.
type named struct {
	dir  int32
	path string
	// empty says that an empty path means dir itself, which may be a file.
	empty bool
}

// name is the path in an argument, relative to the current directory. It is empty if
// unreadable.
func (l looker) name(arg int) named {
	return named{dir: unix.AT_FDCWD, path: l.text(l.args[arg])}
}

// at is the path in an argument, relative to the directory in another.
func (l looker) at(dir, arg int) named {
	return named{dir: int32(l.args[dir]), path: l.text(l.args[arg])}
}

// atOr is at for a call that accepts an empty path if its flags say so.
func (l looker) atOr(dir, arg, flags int) named {
	n := l.at(dir, arg)
	n.empty = l.args[flags]&unix.AT_EMPTY_PATH != 0
	return n
}

// text reads from the program's memory up to a NUL byte. The next page may not be
// mapped, so pages are read one by one.
func (l looker) text(at uint64) string {
	const page = 4096
	var text []byte
	for len(text) < maxPath {
		part := make([]byte, page-at%page)
		if !readMemory(l.thread, at, part) {
			return ""
		}
		if end := bytes.IndexByte(part, 0); end >= 0 {
			return string(append(text, part[:end]...))
		}
		text, at = append(text, part...), at+uint64(len(part))
	}
	return ""
}

// lookUp resolves a path for the program, as the kernel would; info is nil if nothing
// is there, but its directory exists.
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

// maxLinks is how many links the kernel follows in a path.
const maxLinks = 40

// walk follows a path from a directory whose own path has no links.
func (l looker) walk(at, name string, follow bool) (string, fs.FileInfo, bool) {
	follow = follow || strings.HasSuffix(name, "/")
	info, err := os.Lstat(at)
	links := 0
	for rest := wordsOf(name); len(rest) > 0; {
		if err != nil {
			return "", nil, false // not a directory
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

// step returns the path of a name in a directory.
func (l looker) step(at, word string) string {
	switch {
	case word == "..":
		return path.Dir(at)
	case at == "/proc" && (word == "self" || word == "thread-self"):
		// For us these would be our own process.
		word = strconv.Itoa(l.thread)
	}
	return path.Join(at, word)
}

// wordsOf returns the names in a path.
func wordsOf(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(word string) bool { return word == "" || word == "." })
}

// unnumbered returns /proc for a path of one process: its number differs in each run.
func unnumbered(at string) string {
	rest, ok := strings.CutPrefix(at, "/proc/")
	word, _, _ := strings.Cut(rest, "/")
	if _, err := strconv.ParseUint(word, 10, 32); ok && err == nil {
		return "/proc"
	}
	return at
}

// maxInterpreter is how much the kernel reads of a script's first line, in bytes.
const maxInterpreter = 256

// interpreter returns the program in a script's first line, empty if there is none.
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
