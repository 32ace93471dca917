// Package memfile makes memory files with programs that this program carries.
package memfile
