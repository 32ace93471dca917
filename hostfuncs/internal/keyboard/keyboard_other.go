//go:build !unix

package keyboard

// Keyboard is not available on this system.
type Keyboard struct{}

// Open returns nil.
func Open() *Keyboard { return nil }

// Lines is not called.
func (*Keyboard) Lines() (lines <-chan string, stop func()) { return nil, func() {} }
