//go:build !helpers || !linux

package sandbox

// TestHelper is the program that runs the modules of the tests: this one.
var TestHelper *Helper
