//go:build builtin

package builtin

import (
	"embed"
	"io/fs"

	"github.com/klauspost/compress/s2"
)

// The files are modules that are compressed by s2: a replayed run needs only the digest,
// and 5.6 MB would be an eighth of the program. The compiler stores each once, in files
// and here.
var (
	//go:embed *.wasm
	files embed.FS

	//go:embed encore-ts.wasm
	encoreTS string
	//go:embed encore-ts.wasm.sha256
	encoreTSDigest string

	//go:embed generic.wasm
	generic string
	//go:embed generic.wasm.sha256
	genericDigest string
)

// Modules returns a directory with one <id>.wasm per built-in provider, which implements
// runtime/provider.Hashed.
func Modules() fs.FS { return modules{files} }

type modules struct{ embed.FS }

// Hashed returns a module and its SHA-256.
func (modules) Hashed(name string) (read func() ([]byte, error), digest string) {
	switch name {
	case "encore-ts.wasm":
		return hashed(encoreTS, encoreTSDigest)
	case "generic.wasm":
		return hashed(generic, genericDigest)
	}
	return nil, ""
}

// hashed takes a compressed module, and the line that sha256sum printed for it.
func hashed(module, line string) (read func() ([]byte, error), digest string) {
	const hexSize = 64
	return func() ([]byte, error) { return s2.Decode(nil, []byte(module)) }, line[:hexSize]
}
