package bounds

import (
	"errors"
	"runtime/debug"
	"strconv"
)

// EnterArgs is [Enter] with the arguments of a helper: the directory for its files, which
// may be empty; the address space that it may add to that of its start, in bytes; and
// whether it has the lowest priority.
func EnterArgs(args []string) (Bounds, Enforced, error) {
	if len(args) != 3 {
		return Bounds{}, Enforced{}, errors.New("expected three arguments: a directory, a number of bytes, and true or false")
	}
	space, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return Bounds{}, Enforced{}, err
	}
	yields, err := strconv.ParseBool(args[2])
	if err != nil {
		return Bounds{}, Enforced{}, err
	}
	// A collection takes longer than most runs. The helper limits Go's memory, so that one
	// starts before the process reaches the kernel's limit.
	debug.SetGCPercent(-1)
	b := Bounds{Space: space, Dir: args[0], Yields: yields}
	enforced, err := Enter(b)
	return b, enforced, err
}
