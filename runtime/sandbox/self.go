//go:build !embed || !linux

package sandbox

import "github.com/stagecraft-dev/stagecraft/runtime/sandbox/worker"

// The helper comes before the rest of the program is ready, as the guard of a
// command does.
func init() { Main() }

// Main runs this process as the helper, and does not return, if it was started as
// one. Programs call it first; see session.Main.
func Main() { worker.Main() }
