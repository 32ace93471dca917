package safefile

import "io/fs"

// Info describes an entry of a [Dir]. Two that are equal are of the same unchanged file,
// as far as the file system tells.
type Info struct {
	// Type is 0 for a regular file, [fs.ModeDir], [fs.ModeSymlink], or [fs.ModeIrregular]
	// for anything else.
	Type     fs.FileMode
	Size     int64  // in bytes
	Modified int64  // in nanoseconds since 1970
	Inode    uint64 // 0 on Windows
	Device   uint64 // 0 on Windows
}
