//go:build !linux

package sandbox

import "os"

// execHelper starts this program.
func execHelper(name string, args []string, attr *os.ProcAttr) (*os.Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return os.StartProcess(program, append([]string{name}, args...), attr)
}
