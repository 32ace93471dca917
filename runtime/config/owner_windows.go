package config

import "io/fs"

// trusted is not known here, where no directory is open to all by itself.
func trusted(fs.FileInfo, string) bool { return true }
