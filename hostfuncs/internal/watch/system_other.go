//go:build !linux

package watch

import (
	"errors"
	"runtime"
	"syscall"
)

// perFile is how many files may be watched if each takes a descriptor, as with kqueue; 0
// if none does.
var perFile = map[string]int{"darwin": 4096, "dragonfly": 4096, "freebsd": 4096, "netbsd": 4096, "openbsd": 4096}[runtime.GOOS]

func isNoDirectory(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

func remedy(error) string { return "" }

func remote(string) string { return "" }
