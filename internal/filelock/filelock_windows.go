package filelock

import "errors"

// Try is [errors.ErrUnsupported]: a directory can't be locked here.
func Try(string) (*Lock, error) { return nil, errors.ErrUnsupported }
