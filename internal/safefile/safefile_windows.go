package safefile

import (
	"io/fs"
	"path/filepath"
)

// Named pipes have no path among files here, and what Lstat says decides on
// links.
const dontWait, dontFollow, directoryAlone = 0, 0, 0

// IsOwn is always true: who may write to the user's directories is for their access
// lists to say.
func IsOwn(fs.FileInfo) bool { return true }

// CheckPlanted is nil: there is no directory that everybody can write to.
func CheckPlanted(string) error { return nil }

// Resolve is [filepath.EvalSymlinks].
func Resolve(path string) (string, error) { return filepath.EvalSymlinks(path) }
