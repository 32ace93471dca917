//go:build unix && !linux

package cli

import "golang.org/x/sys/unix"

// systemFatal is a fatal signal that not all systems have.
const systemFatal = unix.SIGEMT
