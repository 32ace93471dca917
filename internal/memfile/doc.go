// Package memfile executes programs from memory files.
package memfile
