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
	errFolder        = errors.New("is a folder")
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
// one, but a folder or a file that may not be executed.
func LookPath(name, dir, path string) (string, error) {
	switch {
	case name == "":
		return "", &NotFoundError{}
	case hasSeparator(name):
		return lookFile(name, dir)
	}
	var searched []string
	var denied error
	for _, folder := range filepath.SplitList(path) {
		if !filepath.IsAbs(folder) {
			continue
		}
		searched = append(searched, folder)
		file, err := lookAt(filepath.Join(folder, name))
		if err == nil {
			return file, nil
		}
		if denied == nil && errors.Is(err, errNotExecutable) {
			denied = startError(filepath.Join(folder, name), err)
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
		return "", &StartError{Program: name, Err: errors.New("is relative to a folder that is not absolute")}
	}
	written := filepath.Clean(file)
	var err error
	if leadsUp(file) {
		// What is above a link is above what it leads to, and no path that
		// keeps the link can say that.
		folder, base := filepath.Split(file)
		folder, err = filepath.EvalSymlinks(folder)
		file = filepath.Join(folder, base)
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

// missing reports whether there is no such file, a file in a folder's place
// included.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func checkProgram(file string) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
	case info.IsDir():
		err = errFolder
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
