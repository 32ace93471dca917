//go:build !linux

package sandbox

import "os"

// Helper is this program itself, see [Main]. On Linux it can be an embedded program.
type Helper struct{}

// NewHelper returns nil.
func NewHelper(module, schema []byte) *Helper { return nil }

// Ready does nothing.
func (*Helper) Ready() {}

// exec starts this program.
func (*Helper) exec(l launch, attr *os.ProcAttr) (*os.Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return os.StartProcess(program, append([]string{l.name}, l.args()...), attr)
}

// CheckMemory returns nil: memory files are not used.
func (*Helper) CheckMemory() error { return nil }
