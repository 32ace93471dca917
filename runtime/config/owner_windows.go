package config

import "io/fs"

// trusted is always true: Windows has no directories that everybody can write to.
func trusted(fs.FileInfo, string) bool { return true }
