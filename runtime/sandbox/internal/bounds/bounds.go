// Package bounds has a process give up, for good, all that it needs not to run a
// module: what a module could reach that finds a hole in wazero.
package bounds

// Bounds say what the process keeps.
type Bounds struct {
	// Space is how many bytes of address space the process may have, besides those
	// that it has already.
	Space uint64
	// Dir is the one directory in which files can be opened; empty is none.
	Dir string
	// Yields gives the process the lowest priority. It has the usual one on systems other
	// than Linux.
	Yields bool
}

// Enforced says which bounds the kernel enforces. All others it always does.
type Enforced struct {
	Files bool // no file outside of Bounds.Dir is opened, by Landlock
	Calls bool // no other system calls are made, by seccomp
}
