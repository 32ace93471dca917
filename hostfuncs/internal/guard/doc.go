// Package guard is the process between Stagecraft and a command, on Linux.
//
// A guard is a child subreaper and a parent: all descendants of its command stay
// below it, however they fork. It ends them when its connection to Stagecraft
// closes, also after a kill -9. Over the connection it receives what to run, with
// the descriptors for it, and reports the command's start, stops and end.
//
// The command's confinement is decided elsewhere. A guard gets a Landlock ruleset
// and a seccomp filter that are ready, and forks a process that applies both to
// itself and then executes the command. No thread of a guard is ever in the
// Landlock domain of its command: Landlock lets processes of one domain signal
// each other.
//
// The directory stagecraft-guard makes a program of this package. The package is also
// part of every program that starts commands, which can execute itself as a guard. It
// must stay small: wire is the only package of Stagecraft that it imports.
package guard
