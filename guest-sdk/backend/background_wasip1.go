//go:build !stagecraft_small

package backend

import "context"

func background() Context { return context.Background() }
