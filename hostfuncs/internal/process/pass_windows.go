package process

import "syscall"

// Pass does nothing: Windows has no signals but those that end a program.
func Pass(syscall.Signal) bool { return false }

// Interactive reports that Ctrl-C is left to no program: a console tells nobody whose
// it is.
func Interactive() bool { return false }
