//go:build !builtin

package builtin

import "io/fs"

// Modules returns nil: there are no modules.
func Modules() fs.FS { return nil }
