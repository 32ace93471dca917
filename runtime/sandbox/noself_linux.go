//go:build helpers

package sandbox

import (
	"errors"
	"syscall"
)

// Main does nothing: a program with the embedded helper does not contain wazero.
func Main() {}

func execSelf([]string, *syscall.ProcAttr) (pid int, err error) {
	return 0, errors.New("this program was built with the tag helpers, but without the helper")
}
