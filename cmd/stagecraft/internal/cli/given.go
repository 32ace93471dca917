package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// noProject are the commands that look at no project and enforce no policy, by
// the flags of all commands that they have no use for.
var noProject = map[string][]string{
	"provider list":    {"policy"},
	"provider untrust": {"policy"},
	"policy check":     {"directory", "config", "policy"},
	"policy test":      {"directory", "config", "policy"},
	"audit verify":     {"directory", "config", "policy"},
	"audit show":       {"directory", "config", "policy"},
	"audit report":     {"directory", "config", "policy"},
	"version":          {"directory", "config", "policy"},
}

// checkGiven finds flags that would be ignored: those without a value, those
// that replace an earlier one, and those that the command has no use for.
func checkGiven(parsed *kong.Context, args []string) error {
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
	for _, name := range noProject[command] {
		if given[name] != nil {
			return &usageError{fmt.Sprintf("--%s has no meaning for stagecraft %s", name, command), "leave it out"}
		}
	}
	if given["directory"] != nil && given["config"] != nil {
		return &usageError{"--directory and --config both say where the configuration is", "give one of them"}
	}
	return nil
}

// replaces tells whether a second flag of a name takes the place of the first.
// One that only says yes may be repeated.
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

// namedBy is the file that a variable of ours names.
//
// # Errors
//
// yamldoc.Problems for a variable that is set and empty: it was meant to name
// one.
func (a *app) namedBy(variable string) (string, error) {
	name := a.getenv(variable)
	if name == "" && a.isSet(variable) {
		return "", yamldoc.Problems{{Field: variable, Message: "the variable is set and empty", Hint: "name a file, or unset it"}}
	}
	return name, nil
}
