//go:build !wasip1

package abi

import "fmt"

// Errorf returns an Error with a formatted message. It is for hosts: in a module, package
// fmt would be half a megabyte. A provider that uses fmt anyway passes fmt.Sprintf's
// result to [NewError].
func Errorf(code Code, format string, args ...any) *Error {
	return NewError(code, fmt.Sprintf(format, args...))
}
