// Package helpers has the small programs that a released stagecraft carries and
// executes from memory, so that it need not execute itself for them. "make build"
// lays them over this directory, as it does with the built-in modules, and sets the
// tag embed. A program that was built without them executes itself.
package helpers
