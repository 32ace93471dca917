package privatedir

import "io/fs"

// checkOwner checks nothing: the directory inherits the access list of the user's
// profile.
func checkOwner(string, fs.FileInfo) error { return nil }
