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
	errNotRegular    = errors.New("is not a regular file")
	errNotExecutable = errors.New("is not executable")
)

// LookPath finds the file of a program. A name without a slash is looked up in path,
// a list like PATH. Only its absolute entries count, because what others find depends
// on the working directory. A name with a slash is relative to dir, which must be
// absolute.
//
// The result is absolute. Links are not resolved, because some programs depend on
// the name by which they are called. On Windows the extensions of PATHEXT are tried.
//
// # Errors
//
// A [*NotFoundError] if the file is missing; a [*StartError] for a directory or a file
// that cannot be executed.
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
		// Join would remove each "..".
		file = dir + string(filepath.Separator) + name
	}
	if !filepath.IsAbs(file) {
		return "", &StartError{Program: name, Err: errors.New("is relative to a directory that is not absolute")}
	}
	written := filepath.Clean(file)
	var err error
	if slices.Contains(strings.Split(filepath.ToSlash(file), "/"), "..") {
		// The directory above a link is the one above its target, so the link must be
		// resolved.
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

// lookAt tries the names that a program's file may have.
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

// missing reports whether an error means that a file does not exist, also because
// another file is in place of its directory.
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
