package hostfuncs

import (
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

// Record is one call through the gate.
type Record struct {
	Operation string
	Provider  string
	Start     time.Time
	// Claim, Layers and Decision are set once Decided is: a request that can't
	// be read or resolved never gets so far. Layers is what each said, and
	// Decision the one of them that counts.
	Decided  bool
	Claim    capability.Claim
	Layers   []capability.Decision
	Decision capability.Decision
	// Environment is what reaches the program that the call runs, if it runs one.
	Environment []EnvStep
	// Effect tells that the call does more than look, if it is allowed.
	Effect bool
	// Error is what the provider was answered, nil when the call worked.
	Error *abi.Error
	// Result is what the operation gave, nil when it did not work.
	Result                   any
	Duration                 time.Duration
	RequestBytes, ReplyBytes int
}

// Denied tells whether a policy refused the call.
func (r *Record) Denied() bool { return r.Decided && !r.Decision.Allowed }

// Reasons is why each layer that does not allow the call doesn't, or, where a
// rule of one denies it, what that rule is.
func (r *Record) Reasons() []string {
	var reasons []string
	for _, said := range r.Layers {
		if !said.Allowed && (r.Decision.Rule == "" || said.Rule != "") {
			reasons = append(reasons, said.Reason())
		}
	}
	return reasons
}

// Grants are the lines that the project's policy lacks. There are none where
// the call would be denied with them as well.
func (r *Record) Grants() []capability.Grant {
	var grants []capability.Grant
	for _, said := range r.Layers {
		switch {
		case said.Allowed:
		case said.Layer != capability.Project && said.Layer != "":
			return nil
		case len(said.Missing) == 0:
			return nil
		default:
			grants = said.Missing
		}
	}
	return grants
}

// AllowHint says what to add to the project's policy to allow the call; empty
// where that would not help.
func (r *Record) AllowHint() string {
	grants := r.Grants()
	if len(grants) == 0 {
		return ""
	}
	return "to allow it, add to stagecraft.policy.yml:\n" + explain.Snippet(r.Provider, grants)
}

// Auditor sees every call, twice: when it is decided, before its effect, and
// when it is done. An error of Decided keeps the effect from happening. It must
// not change the record; what it keeps of it before Done is not complete.
type Auditor interface {
	Decided(*Record) error
	Done(*Record)
}

// EnvStep is a variable that reaches a program, without its value.
type EnvStep struct {
	Name string `json:"name"`
	By   EnvBy  `json:"by"`
	// From is the dotenv file, or the variable that the provider takes the value
	// from.
	From string `json:"from,omitempty"`
}

// EnvBy says who gives a variable to a program.
type EnvBy string

// Those who give variables: the user's environment, this program itself, a dotenv
// file that the provider names, the provider.
const (
	EnvUser     EnvBy = "user"
	EnvHost     EnvBy = "stagecraft"
	EnvFile     EnvBy = "file"
	EnvProvider EnvBy = "provider"
)
