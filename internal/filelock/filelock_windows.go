package filelock

import "errors"

// Try returns [errors.ErrUnsupported]: directories cannot be locked.
func Try(string) (*Lock, error) { return nil, errors.ErrUnsupported }
