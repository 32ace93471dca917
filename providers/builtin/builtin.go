// Package builtin holds the modules of the providers that come with
// stagecraft. The directory wasm is empty in a checkout: "make build" lays the
// modules over it with the go command's -overlay, so nothing generated stands
// in the tree, and a plain "go build" works at any time but gives a stagecraft
// without its providers.
package builtin

import (
	"embed"
	"io/fs"
)

//go:embed all:wasm
var files embed.FS

// Modules is a directory with one <id>.wasm for each built-in provider.
func Modules() (fs.FS, error) { return fs.Sub(files, "wasm") }
