//go:build stagecraft_small

package backend

// Context is the part of context.Context that operations use.
type Context interface{ Value(key any) any }

type noContext struct{}

func (noContext) Value(any) any { return nil }

func background() Context { return noContext{} }
