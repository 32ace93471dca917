//go:build embed

package sandbox

import (
	"errors"
	"syscall"
)

// Main does nothing: a program that carries the helper does not have wazero itself.
func Main() {}

func execSelf([]string, *syscall.ProcAttr) (pid int, err error) {
	return 0, errors.New("this program was built with the tag embed, and does not carry the helper")
}
