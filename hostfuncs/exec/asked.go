package exec

import (
	"maps"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// AskedRules returns rules for the commands that a provider asks for, their variables,
// and the ports that it asks to connect to.
func AskedRules(project *files.Project, env *values.Environment, a *asks.Asks) []capability.Rule {
	var rules []capability.Rule
	for _, ask := range a.Exec {
		rules = append(rules, askedCommand(project, env, a, ask)...)
	}
	for _, argv := range a.Daemons {
		rules = append(rules, capability.AllowDaemon(argv))
	}
	return append(rules, askedPorts(a)...)
}

func askedCommand(project *files.Project, env *values.Environment, a *asks.Asks, ask abi.ExecAsk) []capability.Rule {
	var rules []capability.Rule
	if len(ask.Argv) > 0 {
		rules = append(rules, capability.AllowCommand(ask.Argv, yamldoc.Pos{}))
	}
	if argv := a.Texts(ask.ArgvFrom); len(argv) > 0 {
		// A directory outside of the project is not allowed; the call reports why.
		if dir, err := project.Locate(a.Text(ask.DirFrom)); err == nil {
			rules = append(rules, capability.AllowArgv(argv, dir.Rel, a.Position(ask.ArgvFrom)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Mapping(ask.EnvFrom))) {
		at := abi.UnderPointer(ask.EnvFrom, name)
		rules = append(rules, capability.AllowEnv(name, a.Position(at)))
		rules = append(rules, env.AskedReference(a, at)...)
	}
	return rules
}

// askedPorts returns rules for each port in the configuration or, if it has none, for
// the requested port numbers.
func askedPorts(a *asks.Asks) []capability.Rule {
	var rules []capability.Rule
	for _, pointer := range a.ConnectFrom {
		if port := a.Port(pointer); port != 0 {
			rules = append(rules, capability.AllowConnect(port, a.Position(pointer)))
		}
	}
	if len(rules) > 0 {
		return rules
	}
	for _, port := range a.Connect {
		rules = append(rules, capability.AllowConnect(port, yamldoc.Pos{}))
	}
	return rules
}

// CheckDir reports why a command cannot run in a directory that the configuration
// names; nil if it can.
func CheckDir(project *files.Project, named string, at files.Place) error {
	dir, err := openDir(project, named, at)
	if err != nil {
		return err
	}
	return dir.Close()
}
