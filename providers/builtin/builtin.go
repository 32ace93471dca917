// Package builtin embeds the modules of the built-in providers. The directory wasm is
// empty in a checkout: "make build" adds the modules with the go command's -overlay, so
// that no generated file is committed. A plain "go build" makes a stagecraft without
// them.
package builtin

import (
	"embed"
	"io/fs"
)

//go:embed all:wasm
var files embed.FS

// Modules returns a directory with one <id>.wasm per built-in provider.
func Modules() (fs.FS, error) { return fs.Sub(files, "wasm") }
