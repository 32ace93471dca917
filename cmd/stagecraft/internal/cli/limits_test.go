package cli

import (
	"runtime"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// TestLimitFlags wants the flags to reach the sandbox.
func TestLimitFlags(t *testing.T) {
	flags, want := limitFlags{LoadTime: "90s"}, sandbox.Limits{Load: 90 * time.Second}
	if runtime.GOOS == "linux" {
		flags.LoadMemory, want.LoadMemory = "2GiB", 2<<30
	}
	if got, err := flags.limits(); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestLimitHints wants each limit that a flag sets to name it.
func TestLimitHints(t *testing.T) {
	for want, err := range map[string]*sandbox.LimitError{
		"to allow more, use --provider-load-time":   {Bound: sandbox.BoundLoad},
		"to allow more, use --provider-load-memory": {Bound: sandbox.BoundLoadMemory},
		"": {What: "computing time", Limit: "10s"},
	} {
		if f := failureOf(err); f.Hint != want || f.Code != "timeout" {
			t.Errorf("%v: got %q, %q, want %q", err, f.Code, f.Hint, want)
		}
	}
}
