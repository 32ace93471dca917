package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// unused has the commands that use no project, enforce no policy or load no provider,
// with the common flags that they do not use.
var unused = map[string][]string{
	"provider list":    {"policy", loadTime, loadMemory},
	"provider untrust": {"policy", loadTime, loadMemory},
	"policy check":     {"directory", "config", "policy", loadTime, loadMemory},
	"policy test":      {"directory", "config", "policy", loadTime, loadMemory},
	"audit verify":     {"directory", "config", "policy", loadTime, loadMemory},
	"audit show":       {"directory", "config", "policy", loadTime, loadMemory},
	"audit report":     {"directory", "config", "policy", loadTime, loadMemory},
	"verify":           {loadTime, loadMemory},
	"completion":       {"directory", "config", "policy", loadTime, loadMemory},
	"man":              {"directory", "config", "policy", loadTime, loadMemory},
	"version":          {"directory", "config", "policy", loadTime, loadMemory},
	"help":             {"directory", "config", "policy", loadTime, loadMemory},
	"overview":         {loadTime, loadMemory},
}

// The names of limitFlags.
const (
	loadTime   = "provider-load-time"
	loadMemory = "provider-load-memory"
)

// checkFlags finds flags that would be ignored: those with an empty value, those
// that replace an earlier one, and those that the command does not use.
func checkFlags(parsed *kong.Context, args []string) error {
	given := make(map[string]*kong.Flag)
	for _, p := range parsed.Path {
		if p.Flag == nil {
			continue
		}
		name := p.Flag.Name
		if _, twice := given[name]; twice && replaces(p.Flag, args) {
			return &usageError{fmt.Sprintf("duplicate flag --%s", name), "give it once"}
		}
		if isEmpty(parsed.FlagValue(p.Flag)) {
			return &usageError{fmt.Sprintf("--%s: the value is empty", name), "give a value, or leave the flag out"}
		}
		given[name] = p.Flag
	}
	command := parsed.Selected().Path()
	for _, name := range unused[command] {
		if given[name] != nil {
			return &usageError{fmt.Sprintf("--%s has no meaning for stagecraft %s", name, command), "leave it out"}
		}
	}
	if given["directory"] != nil && given["config"] != nil {
		return &usageError{"--directory and --config exclude each other", "give one of them"}
	}
	return nil
}

// replaces reports whether a second flag of a name replaces the first. A boolean
// flag without a value may be repeated.
func replaces(flag *kong.Flag, args []string) bool {
	switch {
	case flag.IsCumulative():
		return false
	case !flag.IsBool():
		return true
	}
	return slices.ContainsFunc(args, func(arg string) bool {
		return arg == "--no-"+flag.Name || strings.HasPrefix(arg, "--"+flag.Name+"=") || strings.HasPrefix(arg, "--no-"+flag.Name+"=")
	})
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case string:
		return value == ""
	case []string:
		return len(value) == 0 || slices.Contains(value, "")
	}
	return false
}

// ceilingsEnv names ceilings in the environment.
const ceilingsEnv = "STAGECRAFT_POLICY"

// namedCeilings returns the ceilings that the variable and --policy name. A flag
// cannot remove one of the variable, and the variable must not be empty, because
// a ceiling was meant then.
//
// # Errors
//
// A [*usageError] for a flag, yamldoc.Problems for the variable.
func (a *app) namedCeilings() ([]session.Ceiling, error) {
	var ceilings []session.Ceiling
	if value, set := lookup(a.Environ, ceilingsEnv); set {
		var err error
		if ceilings, err = session.ParseCeilings(value); err != nil {
			return nil, yamldoc.Problems{{
				Field: ceilingsEnv, Message: err.Error(),
				Hint: "list policies as PATH lists directories, each FILE or FILE@sha256:DIGEST; unset it to use no ceiling",
			}}
		}
	}
	for _, text := range a.grammar.Policy {
		c, err := session.ParseCeiling(text)
		if err != nil {
			return nil, &usageError{"--policy: " + err.Error(), "write --policy FILE or --policy FILE@sha256:DIGEST"}
		}
		ceilings = append(ceilings, c)
	}
	return ceilings, nil
}

// inProject returns how to treat a ceiling inside the project.
func (a *app) inProject() session.InProject {
	switch {
	case a.grammar.Allow:
		return session.AllowInProject
	case a.inCI():
		return session.RefuseInProject
	}
	return session.WarnInProject
}

// locked returns --locked, or else whether nobody can be asked.
func (a *app) locked() bool {
	if a.grammar.Locked != nil {
		return *a.grammar.Locked
	}
	return a.inCI()
}

// inCI reports whether CI=true is set, as CI systems do.
func (a *app) inCI() bool { return a.getenv("CI") == "true" }
