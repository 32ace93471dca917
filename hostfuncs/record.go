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
	// Claim, Layers and Decision are set if Decided is: if the request was decoded and
	// resolved. Layers are the decisions of all policies, and Decision is the one of
	// them that counts.
	Decided  bool
	Claim    capability.Claim
	Layers   []capability.Decision
	Decision capability.Decision
	// Environment lists the variables that reach the program that the call runs.
	Environment []EnvStep
	// Effect is set if the call has an effect when it is allowed.
	Effect bool
	// Error is the provider's reply, nil if the call worked.
	Error *abi.Error
	// Result is the operation's result, nil if the call failed.
	Result                   any
	Duration                 time.Duration
	RequestBytes, ReplyBytes int
}

// Denied reports whether a policy denied the call.
func (r *Record) Denied() bool { return r.Decided && !r.Decision.Allowed }

// Reasons are those of the layers that do not allow the call. If a rule denies it, only
// the reasons with a rule count.
func (r *Record) Reasons() []string {
	var reasons []string
	for _, said := range r.Layers {
		if !said.Allowed && (r.Decision.Rule == "" || said.Rule != "") {
			reasons = append(reasons, said.Reason())
		}
	}
	return reasons
}

// Grants are the lines that would allow the call if the project's policy had them; none
// if it would still be denied.
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

// AllowHint says what to add to the project's policy to allow the call, or nothing if
// that would not help.
func (r *Record) AllowHint() string {
	grants := r.Grants()
	if len(grants) == 0 {
		return ""
	}
	return "to allow it, add to stagecraft.policy.yml:\n" + explain.Snippet(r.Provider, grants)
}

// Auditor sees every decided call before its effect, and every call at its end. An error
// from Decided prevents the effect. An Auditor must not change the record, which is
// complete in Done only.
type Auditor interface {
	Decided(*Record) error
	Done(*Record)
}

// EnvStep is a variable that reaches a program, without its value.
type EnvStep struct {
	Name string `json:"name"`
	By   EnvBy  `json:"by"`
	// From is the dotenv file, or the variable that the provider takes the value from.
	From string `json:"from,omitempty"`
}

// EnvBy is the source of a variable.
type EnvBy string

// The sources: the user's environment, this program itself, a dotenv file that the
// provider names, the provider.
const (
	EnvUser     EnvBy = "user"
	EnvHost     EnvBy = "stagecraft"
	EnvFile     EnvBy = "file"
	EnvProvider EnvBy = "provider"
)
