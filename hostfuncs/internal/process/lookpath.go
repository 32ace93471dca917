package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

var (
	errDirectory     = errors.New("is a directory")
	errNotRegular    = errors.New("is no regular file")
	errNotExecutable = errors.New("is not executable")
)

// LookPath finds the file that a program's name stands for. A name without a
// slash is looked up in path, a list like that of PATH, of which only absolute
// entries count: what a relative or an empty one finds depends on where one
// stands. A name with a slash is taken from dir, which must be absolute.
//
// The answer is absolute. Links stay as they are, because some programs act by
// the name that they were called with. On Windows the extensions of PATHEXT
// are tried.
//
// # Errors
//
// A [*NotFoundError] when there is no such file; a [*StartError] when there is
// one, but a directory or a file that may not be executed.
func LookPath(name, dir, path string) (string, error) {
	switch {
	case name == "":
		return "", &NotFoundError{}
	case hasSeparator(name):
		return lookFile(name, dir)
	}
	var searched []string
	var denied error
	for _, directory := range filepath.SplitList(path) {
		if !filepath.IsAbs(directory) {
			continue
		}
		searched = append(searched, directory)
		file, err := lookAt(filepath.Join(directory, name))
		if err == nil {
			return file, nil
		}
		if denied == nil && errors.Is(err, errNotExecutable) {
			denied = startError(filepath.Join(directory, name), err)
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", &NotFoundError{Name: name, Searched: searched}
}

func lookFile(name, dir string) (string, error) {
	file := name
	if !filepath.IsAbs(file) {
		// Not joined, which would take each ".." away.
		file = dir + string(filepath.Separator) + name
	}
	if !filepath.IsAbs(file) {
		return "", &StartError{Program: name, Err: errors.New("is relative to a directory that is not absolute")}
	}
	written := filepath.Clean(file)
	var err error
	if leadsUp(file) {
		// What is above a link is above what it leads to, and no path that
		// keeps the link can say that.
		directory, base := filepath.Split(file)
		directory, err = filepath.EvalSymlinks(directory)
		file = filepath.Join(directory, base)
	}
	if file = filepath.Clean(file); err == nil {
		file, err = lookAt(file)
	}
	switch {
	case missing(err):
		return "", &NotFoundError{Name: name, Searched: []string{written}}
	case err != nil:
		return "", startError(written, err)
	}
	return file, nil
}

// leadsUp reports whether a path has an element "..".
func leadsUp(name string) bool {
	return slices.Contains(strings.Split(filepath.ToSlash(name), "/"), "..")
}

// lookAt tries a file under the names that it may have.
func lookAt(file string) (string, error) {
	var first error
	for _, candidate := range candidates(file) {
		err := checkProgram(candidate)
		if err == nil {
			return candidate, nil
		}
		if first == nil || missing(first) {
			first = err
		}
	}
	return "", first
}

// missing reports whether there is no such file, a file in a directory's place
// included.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func checkProgram(file string) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
	case info.IsDir():
		err = errDirectory
	case !info.Mode().IsRegular():
		err = errNotRegular
	case !isExecutable(info) || !mayExecute(file):
		err = errNotExecutable
	}
	return err
}

func startError(file string, err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return &StartError{Program: file, Err: err}
}
