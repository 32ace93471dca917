//go:build builtin

package builtin

import (
	"embed"
	"io/fs"
	"unsafe"
)

//go:embed *.wasm
var files embed.FS

// The compiler stores a file once, in files and here. Files in files can only be copied.
var (
	//go:embed encore-ts.wasm
	encoreTS string
	//go:embed encore-ts.wasm.sha256
	encoreTSDigest string

	//go:embed generic.wasm
	generic string
	//go:embed generic.wasm.sha256
	genericDigest string
)

// Modules returns a directory with one <id>.wasm per built-in provider.
func Modules() fs.FS { return modules{files} }

// modules implements runtime/provider.Hashed.
type modules struct{ embed.FS }

// Hashed returns a module, which is in memory that cannot be changed, and its SHA-256.
func (modules) Hashed(name string) (data []byte, digest string) {
	switch name {
	case "encore-ts.wasm":
		return hashed(encoreTS, encoreTSDigest)
	case "generic.wasm":
		return hashed(generic, genericDigest)
	}
	return nil, ""
}

// hashed takes the line that sha256sum printed.
func hashed(module, line string) (data []byte, digest string) {
	const hexSize = 64
	return unsafe.Slice(unsafe.StringData(module), len(module)), line[:hexSize]
}
