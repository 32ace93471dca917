// Package explain says why policies decide as they do: near misses, the line that
// would allow a call, and findings in a policy itself. It decides nothing.
//
// The meaning of a key's rules is that of [capability.Key]. What is checked
// besides is listed in [checksOf], with a file for each kind of right.
package explain

import (
	"maps"
	"slices"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Finding is something in a policy that its author probably did not intend, or
// should know about.
type Finding struct {
	Pos      yamldoc.Pos
	Provider string
	// Key is the key of the rule, such as env.pass.
	Key      string
	Rule     string
	Name     capability.FindingName
	Severity Severity
	Message  string
	// Hint says what to do.
	Hint string
	// Accepted is the acceptance of the finding by the policy; nil without.
	Accepted *capability.Acceptance

	id capability.FindingID
}

// Severity says how serious a finding is.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // the policy does not do what it says
	SeverityWarning Severity = "warning" // it allows more than it seems to, or less
	SeverityNote    Severity = "note"    // it could be written better
)

// severities has every finding.
var severities = map[capability.FindingName]Severity{
	capability.NeverMatches:   SeverityError,
	capability.OpenProgram:    SeverityWarning,
	capability.OpenArguments:  SeverityWarning,
	capability.GrantsNothing:  SeverityWarning,
	capability.ProtectedWrite: SeverityWarning,
	capability.DockerSocket:   SeverityWarning,
	capability.HostNetwork:    SeverityWarning,
	capability.UnusedAccept:   SeverityWarning,
	capability.NotCompared:    SeverityWarning,
	capability.Covered:        SeverityNote,
	capability.OpenWord:       SeverityNote,
}

// FindingNames are the names of all findings, sorted.
func FindingNames() []capability.FindingName { return slices.Sorted(maps.Keys(severities)) }

// SeverityOf is the severity of the findings of a name.
func SeverityOf(name capability.FindingName) Severity { return severities[name] }
