// Package guard is the process between us and a command, on Linux.
//
// A guard is a child subreaper and a parent: whatever descends from its command
// stays below it, however it forks. It ends all of that when its connection to us
// closes, also after a kill -9. It is told over the connection what to run, gets
// the descriptors for it there, and reports how the command fares.
//
// The command's confinement is decided elsewhere. A guard gets a Landlock ruleset
// and a seccomp filter that are ready, and forks a process that applies both to
// itself and then executes the command. No thread of a guard is ever in the
// Landlock domain of its command: Landlock lets processes of one domain signal
// each other.
//
// The package is a program of its own, see the directory stagecraft-guard, and part of
// every program that starts commands, which can execute itself as a guard. It
// must stay small: of ours it imports package wire alone.
package guard
