package hostfuncs

import (
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Record is one call through the door.
type Record struct {
	Operation string
	Provider  string
	Start     time.Time
	// Claim and Decision are set once Decided is: a request that can't be read
	// or resolved never gets so far.
	Decided  bool
	Claim    capability.Claim
	Decision capability.Decision
	// Error is what the provider was answered, nil when the call worked.
	Error *abi.Error
	// Result is what the operation gave, nil when it did not work.
	Result   any
	Duration time.Duration
}

// Denied tells whether a policy refused the call.
func (r *Record) Denied() bool { return r.Decided && !r.Decision.Allowed }

// AllowHint says what to add to the project's policy to allow the call; empty
// where a rule denies it, or nothing is missing.
func (r *Record) AllowHint() string {
	if len(r.Decision.Missing) == 0 {
		return ""
	}
	return "to allow it, add to stagecraft.policy.yml:\n" + capability.Snippet(r.Provider, r.Decision.Missing)
}

// Auditor sees every call, twice: when it is decided, before its effect, and
// when it is done. It must not keep or change the record after it returns, but
// may copy it.
type Auditor interface {
	Decided(*Record)
	Done(*Record)
}
