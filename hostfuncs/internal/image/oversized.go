package image

import (
	"context"
	"errors"
	"io/fs"
)

// LargeContext is how many bytes a context may have before its owner is asked for
// an ignore file.
const LargeContext = 100_000_000

var errLarge = errors.New("the context is large")

// IsLarge reports whether a context has more than [LargeContext] and no ignore
// file. It looks at sizes alone, and no further than it must. A context that
// cannot be looked at is not large: its build says why.
func IsLarge(ctx context.Context, b Build) bool {
	c, err := Open(b)
	if err != nil {
		return false
	}
	defer c.Close()
	if c.ignore.path != "" {
		return false
	}
	left := int64(LargeContext)
	err = c.Walk(ctx, func(_ string, info fs.FileInfo) error {
		if info.Mode().IsRegular() {
			left -= info.Size()
		}
		if left < 0 {
			return errLarge
		}
		return nil
	})
	return errors.Is(err, errLarge)
}
