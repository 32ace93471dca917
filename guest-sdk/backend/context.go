//go:build !stagecraft_small

package backend

import "context"

// Context is context.Context. With the build tag stagecraft_small it is an interface
// without its methods for deadlines and cancellation, which a module does not get from
// its host: package context imports package time, and that alone is a quarter of a
// megabyte of a module. A provider that names this type builds with the tag and without.
type Context = context.Context

// WithHost returns a context whose operations go to h. It is for tests outside Wasm: in
// a module, operations always go to the module's host.
func WithHost(ctx context.Context, h Host) context.Context {
	return context.WithValue(ctx, hostKey{}, h)
}
