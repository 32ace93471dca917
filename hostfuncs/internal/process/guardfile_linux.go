package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// errFileChanged is a number that no system call here gives.
const errFileChanged = unix.ESTALE

// handle is what a guard gets of it, nil for nothing.
func (x *Executable) handle() *os.File {
	if x == nil {
		return nil
	}
	return x.file
}

func (d *Directory) handle() *os.File {
	if d == nil {
		return nil
	}
	return d.file
}

// runBy is how a guard is to run the file.
func (x *Executable) runBy(pinned bool) runBy {
	switch {
	case x.fixed:
		return byPath
	case x.native:
		return byDescriptor
	case pinned:
		return byOpenFile
	}
	return byPath
}

// programPath is the path by which the planned program is run, and no other.
// Nobody can lead that of a descriptor elsewhere.
func (p guardPlan) programPath() (string, error) {
	if p.is == (identity{}) {
		return p.program, nil
	}
	if now, err := identify(guardProgram); err != nil {
		return "", err
	} else if now != p.is {
		return "", errFileChanged
	}
	switch p.how {
	case byDescriptor:
		return descriptor(guardProgram), nil
	case byOpenFile:
		_, err := unix.FcntlInt(guardProgram, unix.F_SETFD, 0)
		return descriptor(guardProgram), err
	}
	return p.program, p.stillLeads()
}

// stillLeads is as near as can be to what the kernel opens, and the interpreter.
func (p guardPlan) stillLeads() error {
	var s unix.Stat_t
	if err := unix.Stat(p.program, &s); err != nil {
		return err
	}
	if identityOf(&s) != p.is {
		return errFileChanged
	}
	return nil
}

// files are those that the program may read and run, whatever else it may.
func (p guardPlan) files() []int {
	if p.is == (identity{}) {
		return nil
	}
	return []int{guardProgram}
}
