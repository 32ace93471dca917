package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Project has the facts about a project.
type Project struct {
	// File is the configuration, Root its directory.
	File string
	// Configuration are the problems of the configuration, and Ceilings those of the
	// policies from outside the project.
	Configuration, Ceilings []Problem
	// Provider is the selected one; nil if the configuration has problems.
	Provider *Provider
	Lock     Lock
	Policy   Policy
	// CeilingFiles are the ceilings that were read.
	CeilingFiles []string
	// Unusable are files that look like providers and cannot be used.
	Unusable []Problem
	Run      Run
}

// Problem is what is wrong with a file, and what to do.
type Problem struct{ Message, Hint string }

// Provider is an installed provider.
type Provider struct {
	ID, Origin string
	BuiltIn    bool
	// Trust says why it may not run, empty if it may.
	Trust *Problem
}

// Lock is the lock file.
type Lock struct {
	// Exists is false without one; Problems are its own.
	Exists   bool
	Problems []Problem
	// Entries are the trusted providers, by ID.
	Entries []Entry
}

// Entry is a trusted provider.
type Entry struct {
	ID string
	// Installed says that a module with this ID was found, and Changed that it is not
	// the trusted one.
	Installed, Changed bool
}

// Policy is the project's policy.
type Policy struct {
	Exists   bool
	Problems []Problem
	// Findings counts those of policy check, errors and warnings.
	Errors, Warnings int
	// Providers are the IDs of its sections, without "*".
	Providers []Section
	// Confines says that the commands of the selected provider are confined.
	Confines bool
	// Processes says that it limits their number although the user is root, whom the
	// kernel does not limit.
	Unlimited bool
}

// Section is the section of a policy for one provider.
type Section struct {
	ID                         string
	Installed, BuiltIn, Locked bool
}

// Findings judges the project.
func (p Project) Findings() []Finding {
	found := each(CheckConfiguration, Error, p.Configuration)
	if len(found) == 0 {
		found = append(found, ok(CheckConfiguration, p.File))
	}
	if p.Provider != nil {
		found = append(found, p.Provider.finding())
	}
	found = append(found, each(CheckProvider, Warning, p.Unusable)...)
	found = append(found, p.Lock.findings()...)
	found = append(found, p.Policy.findings()...)
	found = append(found, each(CheckCeiling, Error, p.Ceilings)...)
	for _, file := range p.CeilingFiles {
		found = append(found, ok(CheckCeiling, file))
	}
	return append(found, p.Run.findings()...)
}

func each(check string, status Status, problems []Problem) []Finding {
	var found []Finding
	for _, p := range problems {
		found = append(found, Finding{check, status, p.Message, p.Hint})
	}
	return found
}

func (p Provider) finding() Finding {
	if p.Trust != nil {
		return fail(CheckProvider, p.Trust.Message, p.Trust.Hint)
	}
	if p.BuiltIn {
		return ok(CheckProvider, p.ID+", built in")
	}
	return ok(CheckProvider, fmt.Sprintf("%s, from %s, trusted in stagecraft.lock", p.ID, p.Origin))
}

func (l Lock) findings() []Finding {
	if len(l.Problems) > 0 {
		return each(CheckLock, Error, l.Problems)
	}
	if !l.Exists {
		return []Finding{ok(CheckLock, "no stagecraft.lock: only built-in providers are trusted")}
	}
	var found []Finding
	var ids []string
	for _, e := range l.Entries {
		switch {
		case !e.Installed:
			found = append(found, warn(CheckLock, fmt.Sprintf("provider %s is trusted and not installed", e.ID), "install it, or run: stagecraft provider untrust "+e.ID))
		case e.Changed:
			found = append(found, warn(CheckLock, fmt.Sprintf("provider %s changed since it was trusted", e.ID), "review it with: stagecraft provider diff "+e.ID))
		default:
			ids = append(ids, e.ID)
		}
	}
	if len(found) == 0 {
		found = append(found, ok(CheckLock, strings.TrimSuffix("stagecraft.lock, trusts "+strings.Join(ids, ", "), ", ")))
	}
	return found
}

func (p Policy) findings() []Finding {
	if len(p.Problems) > 0 {
		return each(CheckPolicy, Error, p.Problems)
	}
	if !p.Exists {
		return []Finding{warn(CheckPolicy, "no stagecraft.policy.yml: commands of built-in providers may use all that you may use", "write one from a run: stagecraft policy learn dev --out stagecraft.policy.yml")}
	}
	var found []Finding
	for _, s := range p.Providers {
		switch {
		case !s.Installed:
			found = append(found, warn(CheckPolicy, fmt.Sprintf("it has rules for provider %s, which is not installed", s.ID), "correct the ID, or remove the rules"))
		case !s.BuiltIn && !s.Locked:
			found = append(found, warn(CheckPolicy, fmt.Sprintf("it has rules for provider %s, which stagecraft.lock does not trust", s.ID), "review it and run: stagecraft provider trust "+s.ID))
		}
	}
	if p.Errors+p.Warnings > 0 {
		status := Warning
		if p.Errors > 0 {
			status = Error
		}
		found = append(found, Finding{
			CheckPolicy, status, fmt.Sprintf("findings of policy check: errors %d, warnings %d", p.Errors, p.Warnings),
			"see them with: stagecraft policy check stagecraft.policy.yml",
		})
	}
	if p.Unlimited {
		found = append(found, warn(CheckPolicy, "its limits.processes does not apply to root", "run stagecraft as another user"))
	}
	if !p.Confines {
		found = append(found, warn(CheckPolicy, "it does not confine the provider's commands to files or ports", "add files or net to the provider's section: see policy learn"))
	}
	if len(found) == 0 {
		found = append(found, ok(CheckPolicy, "stagecraft.policy.yml, confines the provider's commands"))
	}
	return found
}

// Run is what dev would do, as its plan says.
type Run struct {
	// Command is empty if nothing was planned.
	Command string
	// Problems are what would end the run.
	Problems []Problem
	// Programs are those that it would run, with the path of each.
	Programs []Program
	// Denied are calls that a policy would deny.
	Denied []string
	// Failure is how the provider would fail, which denials and missing programs explain.
	Failure string
	// Warnings are those that a run would print.
	Warnings []Problem
}

// Program is a program that a run would start.
type Program struct {
	Name string
	// Path is the file, empty if it was not found.
	Path string
}

func (r Run) findings() []Finding {
	found := append(each(CheckRun, Error, r.Problems), each(CheckRun, Warning, r.Warnings)...)
	var seen []Program
	for _, p := range r.Programs {
		if slices.Contains(seen, p) {
			continue
		}
		seen = append(seen, p)
		if p.Path == "" {
			found = append(found, fail(CheckProgram, p.Name+": not found in the PATH that it would get", "install it, or correct PATH"))
		} else {
			found = append(found, ok(CheckProgram, fmt.Sprintf("%s (%s)", p.Name, p.Path)))
		}
	}
	for _, call := range r.Denied {
		found = append(found, fail(CheckRun, "the policies would deny "+call, "see why with: stagecraft plan "+r.Command))
	}
	missing := slices.ContainsFunc(r.Programs, func(p Program) bool { return p.Path == "" })
	if r.Failure != "" && len(r.Denied) == 0 && !missing {
		found = append(found, fail(CheckRun, "the provider would fail: "+r.Failure, "see more with: stagecraft plan "+r.Command))
	}
	return found
}
