package cli

import "golang.org/x/sys/unix"

// fatalHere is one of the fatal signals that not all systems have.
const fatalHere = unix.SIGSTKFLT
