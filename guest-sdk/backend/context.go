//go:build !stagecraft_small

package backend

import "context"

// Context is context.Context. With the build tag stagecraft_small it is an interface
// without its methods for deadlines and cancellation, which a module does not get from
// its host: package context imports package time, and that alone is a quarter of a
// megabyte of a module. A provider that names this type builds with the tag and without.
type Context = context.Context

func background() Context { return context.Background() }
