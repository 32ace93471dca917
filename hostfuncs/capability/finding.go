package capability

import (
	"maps"
	"slices"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Finding is something in a policy that its author probably did not mean, or
// should know about.
type Finding struct {
	Pos      yamldoc.Pos
	Provider string
	// Key is where the rule stands, such as env.pass.
	Key      string
	Rule     string
	Name     FindingName
	Severity Severity
	Message  string
	// Hint says what to do.
	Hint string
	// Accepted is the policy's own word that the finding is meant; nil without.
	Accepted *Acceptance

	ruleKey string // by which an acceptance names the rule
}

// FindingName is what is found, in a word. A name keeps its meaning: policies
// accept findings by it.
type FindingName string

// The names of findings.
const (
	NeverMatches   FindingName = "never-matches"   // the rule has no effect
	Covered        FindingName = "covered"         // another rule matches all that it does
	OpenProgram    FindingName = "open-program"    // it leaves open which program runs
	OpenArguments  FindingName = "open-arguments"  // it leaves open what a program is told
	OpenWord       FindingName = "open-word"       // it leaves single words open, of a program that is not known
	GrantsNothing  FindingName = "grants-nothing"  // it grants commands nothing
	ProtectedWrite FindingName = "protected-write" // it lets commands write what restricts the next run, or what others run
	DockerSocket   FindingName = "docker-socket"   // it gives commands the Docker engine
	HostNetwork    FindingName = "host-network"    // it gives the steps of a build this machine's network
	UnusedAccept   FindingName = "unused-accept"   // it accepts what is not found
	NotCompared    FindingName = "not-compared"    // from here on, rules are not compared with each other
)

// Severity says what a finding means for whoever checks.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // the policy does not do what it says
	SeverityWarning Severity = "warning" // it allows more than it seems to, or less
	SeverityNote    Severity = "note"    // it could be written better
)

// severities has every finding.
var severities = map[FindingName]Severity{
	NeverMatches:   SeverityError,
	OpenProgram:    SeverityWarning,
	OpenArguments:  SeverityWarning,
	GrantsNothing:  SeverityWarning,
	ProtectedWrite: SeverityWarning,
	DockerSocket:   SeverityWarning,
	HostNetwork:    SeverityWarning,
	UnusedAccept:   SeverityWarning,
	NotCompared:    SeverityWarning,
	Covered:        SeverityNote,
	OpenWord:       SeverityNote,
}

// FindingNames are the names of all findings, sorted.
func FindingNames() []FindingName { return slices.Sorted(maps.Keys(severities)) }

// SeverityOf is the severity of the findings of a name.
func SeverityOf(name FindingName) Severity { return severities[name] }
