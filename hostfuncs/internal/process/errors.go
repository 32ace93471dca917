package process

import (
	"errors"
	"fmt"
	"strings"
)

// StartError is a program that can't be started.
type StartError struct {
	// Program is the file, absolute where it is known.
	Program string
	// Err says why, in words for the user.
	Err error
}

func (e *StartError) Error() string { return fmt.Sprintf("%s: %v", e.Program, e.Err) }

func (e *StartError) Unwrap() error { return e.Err }

var errNoTerminal = errors.New("an interactive program needs a terminal as its standard input")

var errNotConfined = errors.New("it can't be confined here")

// NotFoundError is a program name that leads to no file.
type NotFoundError struct {
	// Name is the program as it was written.
	Name string
	// Searched are the directories of PATH that were looked through, in order, or
	// the one file that Name stands for when it holds a slash.
	Searched []string
}

func (e *NotFoundError) Error() string {
	switch {
	case e.Name == "":
		return "the program's name is empty"
	case hasSeparator(e.Name):
		return fmt.Sprintf("%s: there is no such file (looked for %s)", e.Name, strings.Join(e.Searched, ", "))
	case len(e.Searched) == 0:
		return fmt.Sprintf("%s: not found, PATH has no absolute directory", e.Name)
	}
	return e.Name + ": not found in PATH"
}

// reason puts words for the user in front of the system's error, which stays
// for errors.Is.
type reason struct {
	words string
	err   error
}

func (r *reason) Error() string { return r.words }

func (r *reason) Unwrap() error { return r.err }
