package privatedir

import "io/fs"

// checkOwner has nothing to look at: the directory inherits the access list of
// the user's own profile.
func checkOwner(string, fs.FileInfo) error { return nil }
