// Command stagecraft-guard is a guard as a program of its own. The released program
// stagecraft carries it, since it starts faster than the whole program does.
package main

import (
	"syscall"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

func main() { syscall.Exit(guard.Main()) }
