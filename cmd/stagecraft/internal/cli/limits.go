package cli

import (
	"fmt"
	"runtime"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// limitFlags bound the loading of a provider's module.
type limitFlags struct {
	LoadTime   string `name:"provider-load-time" placeholder:"TIME" help:"Let loading the provider take TIME of processor time; default 30s."`
	LoadMemory string `name:"provider-load-memory" placeholder:"SIZE" help:"Let loading the provider take SIZE of memory; default 1GiB."`
}

// limits returns what the flags say. A limit without a flag is zero, its default.
func (f limitFlags) limits() (sandbox.Limits, error) {
	var limits sandbox.Limits
	if f.LoadTime != "" {
		var err error
		if limits.Load, err = time.ParseDuration(f.LoadTime); err != nil || limits.Load <= 0 {
			return limits, &usageError{fmt.Sprintf("--provider-load-time: %q is not a time above 0", f.LoadTime), "write it as 90s or 2m"}
		}
	}
	if f.LoadMemory != "" {
		var ok bool
		if limits.LoadMemory, ok = capability.ParseSize(f.LoadMemory); !ok {
			return limits, &usageError{fmt.Sprintf("--provider-load-memory: %q is not a size", f.LoadMemory), "write it as 512MiB or 2GiB"}
		}
		if runtime.GOOS != "linux" {
			return limits, &usageError{"--provider-load-memory: only Linux limits the memory of a process", "leave the flag out"}
		}
	}
	return limits, nil
}

// limitHint names the flag that sets a limit, if one does.
func limitHint(e *sandbox.LimitError) string {
	switch e.Bound {
	case sandbox.BoundLoad:
		return "to allow more, use --provider-load-time"
	case sandbox.BoundLoadMemory:
		return "to allow more, use --provider-load-memory"
	}
	return ""
}
