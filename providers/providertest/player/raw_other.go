//go:build !wasip1

package main

// transport fails: only a module has a host.
func transport(string, []byte) []byte { return nil }
