// Package doctor judges facts about a machine and a project: what works, what does not,
// and what to do about it. It is pure; package session gathers the facts.
package doctor

import "slices"

// Status says how serious a finding is.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // something works in part, or could surprise
	Error   Status = "error"   // something that the machine or the project needs does not work
)

// Finding is the result of one check. It is printed as JSON, so fields are only added.
type Finding struct {
	// Check names what was checked, such as engine. A check can have several findings.
	Check   string `json:"check"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	// Hint says what to do.
	Hint string `json:"hint,omitempty"`
}

// The checks, in the order of a report.
const (
	CheckStagecraft    = "stagecraft"
	CheckEngine        = "engine"
	CheckBuildKit      = "buildkit"
	CheckDaemon        = "daemon"
	CheckLandlock      = "landlock"
	CheckSeccomp       = "seccomp"
	CheckMemory        = "memory"
	CheckCache         = "cache"
	CheckState         = "state"
	CheckTemp          = "temp"
	CheckClock         = "clock"
	CheckTerminal      = "terminal"
	CheckProject       = "project"
	CheckConfiguration = "configuration"
	CheckProvider      = "provider"
	CheckLock          = "lock"
	CheckPolicy        = "policy"
	CheckCeiling       = "ceiling"
	CheckRun           = "run"
	CheckProgram       = "program"
)

// Count returns how many findings have a status.
func Count(findings []Finding, status Status) int {
	return len(slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Status != status }))
}

func ok(check, message string) Finding { return Finding{check, OK, message, ""} }

func warn(check, message, hint string) Finding { return Finding{check, Warning, message, hint} }

func fail(check, message, hint string) Finding { return Finding{check, Error, message, hint} }
