// Package bounds takes from a process, for good, every right that running a module does
// not need. A module that escapes from wazero has only the rest.
package bounds

// Bounds are the rights that the process keeps.
type Bounds struct {
	// Space is the address space that the process may add to what it has, in bytes.
	Space uint64
	// Dir is the only directory in which it may open files, or empty for none.
	Dir string
	// Yields gives the process the lowest priority. It has the usual one on systems other
	// than Linux.
	Yields bool
}

// Enforced says which bounds the kernel enforces, of those that need a recent one.
type Enforced struct {
	Files bool // files outside of Bounds.Dir are refused, by Landlock
	Calls bool // other system calls end the process, by seccomp
}
