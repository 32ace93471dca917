//go:build !embed || !linux

package sandbox

// TestHelper is the program in which the tests' modules run: this one.
var TestHelper *Helper
