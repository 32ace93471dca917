package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// environments are the types of encore secret set, with their canonical names.
var environments = map[string]string{
	"development": "development", "dev": "development",
	"production": "production", "prod": "production",
	"preview": "preview", "pr": "preview", "ephemeral": "preview",
	"local": "local",
}

var typeNames = []string{"dev", "development", "ephemeral", "local", "pr", "preview", "prod", "production"}

func (s *secrets) check() []abi.Problem {
	problems := s.checkTypes()
	seen := make(map[string]bool)
	for i, name := range s.FromEnv {
		p := abi.Problem{Pointer: "/dev/secrets/from_env/" + strconv.Itoa(i)}
		switch {
		case !isVariable(name):
			p.Message = strconv.Quote(name) + " is not a variable name"
		case seen[name]:
			p.Message = "duplicate variable " + name
		default:
			seen[name] = true
			continue
		}
		problems = append(problems, p)
	}
	if len(s.FromEnv) > 0 && len(s.Types) == 0 {
		problems = append(problems, abi.Problem{
			Pointer: "/dev/secrets/types", Message: "is required with from_env", Hint: "say for which environments, for development: types: [local]",
		})
	}
	return problems
}

// checkTypes refuses types that encore would refuse only after the login.
func (s *secrets) checkTypes() []abi.Problem {
	var problems []abi.Problem
	seen := make(map[string]string)
	for i, name := range s.Types {
		p := abi.Problem{Pointer: "/dev/secrets/types/" + strconv.Itoa(i)}
		same, ok := environments[name]
		switch {
		case !ok:
			p.Message, p.Hint = "unknown environment type "+strconv.Quote(name), "expected one of "+strings.Join(typeNames, ", ")
			if near := abi.Nearest(name, typeNames); near != "" {
				p.Hint = "did you mean " + strconv.Quote(near) + "? " + p.Hint
			}
		case seen[same] != "":
			p.Message = name + " is the same as " + seen[same]
		default:
			seen[same] = name
			continue
		}
		problems = append(problems, p)
	}
	return problems
}

// meant returns the environments of the types, sorted.
func (s *secrets) meant() []string {
	names := make(map[string]bool)
	for _, name := range s.Types {
		names[environments[name]] = true
	}
	return abi.SortedKeys(names)
}

// secretTimeout bounds one encore secret set, which uses the network.
const secretTimeout = 15 * duration.Second

// sync sets each secret that has a value. Values do not enter this module: the host writes
// them to encore's standard input.
func (r *run) sync(ctx backend.Context) error {
	names := r.Dev.Secrets.FromEnv
	if len(names) == 0 {
		return nil
	}
	states, err := backend.EnvStatusIn(ctx, r.Dev.EnvFrom, names...)
	if err != nil {
		return err
	}
	for _, name := range names {
		if states[name] == abi.EnvSet {
			continue
		}
		how := "is not set"
		if states[name] == abi.EnvEmpty {
			how = "is empty"
		}
		backend.Log(ctx, abi.LevelWarn, "the secret "+name+" is not synced: the variable "+how)
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return states[name] != abi.EnvSet })
	if len(names) == 0 {
		return nil
	}
	app, err := r.checkLinked(ctx)
	if err != nil {
		return err
	}
	for i, name := range names {
		err := r.set(ctx, app, name)
		if why := r.tolerated(err); why != "" {
			backend.Log(ctx, abi.LevelWarn, "the secrets "+strings.Join(names[i:], ", ")+" are not synced: "+why)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// set sets one secret for all of its types in one call: for encore, other sets of types
// are other secrets. An unchanged value is not set again, because each call makes a new
// version for everyone with this type.
func (r *run) set(ctx backend.Context, app, name string) error {
	types := strings.Join(r.Dev.Secrets.Types, ",")
	value := abi.EnvRef(name, r.Dev.EnvFrom...)
	res, err := backend.Exec(ctx, abi.ExecRequest{
		Argv: []string{"encore", "secret", "set", "--type", types, name}, Dir: r.dir,
		Env: r.variables(), Stdin: &value, Capture: true, TimeoutMS: secretTimeout,
		Once: strings.Join(append([]string{"secret", app, name}, r.Dev.Secrets.meant()...), " "),
	})
	what := "the secret " + name + " for " + types
	switch {
	case err != nil:
		return hinted(r.failure(secretSyncFailed, what, err))
	case res.Interrupted:
		return interrupted("encore secret set")
	case res.ExitCode != 0:
		e := r.failed(secretSyncFailed, what+" was not set: encore ended with exit code "+strconv.Itoa(res.ExitCode))
		e.Output = end(res.Stderr)
		return hinted(e)
	case res.Unchanged:
		backend.Log(ctx, abi.LevelInfo, what+" is unchanged, and not set again")
		return nil
	}
	backend.Log(ctx, abi.LevelInfo, "synced "+what)
	return nil
}
