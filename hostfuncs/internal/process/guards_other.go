//go:build !linux

package process

// Guards does nothing: only Linux has guards.
type Guards struct{}

// NewGuards returns guards that do nothing.
func NewGuards([]byte) *Guards { return nil }

// Ahead does nothing.
func (*Guards) Ahead() {}

// Close does nothing.
func (*Guards) Close() {}

// Guard does nothing.
func Guard() {}
