package exec

import (
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// variables are those that a request sets, in addition to what every command gets.
// Later ones win.
type variables struct {
	base  []values.Variable // sorted by name
	files []*values.File
	own   []values.Variable // sorted by name
}

func readVariables(files *values.Request, q abi.ExecRequest) (v variables, err error) {
	if v.base, err = files.Variables(q.EnvBase); err != nil {
		return v, err
	}
	if v.files, err = files.Files(q.EnvFiles); err != nil {
		return v, err
	}
	v.own, err = files.Variables(q.Env)
	return v, err
}

func (v variables) claim(c *capability.Claim) {
	for _, b := range v.base {
		b.Claim(c)
	}
	for _, f := range v.files {
		f.ClaimAll(c)
	}
	for _, o := range v.own {
		o.Claim(c)
	}
}

// planned returns the variables as they are in a plan.
func (v variables) planned() []values.Planned {
	var planned []values.Planned
	for _, b := range v.base {
		planned = append(planned, values.Plan(b.Name, b.Value.Value))
	}
	for _, f := range v.files {
		for _, name := range f.Names() {
			planned = append(planned, values.Planned{Name: name, From: f.Rel})
		}
	}
	for _, o := range v.own {
		planned = append(planned, values.Plan(o.Name, o.Value.Value))
	}
	return planned
}

// has reports whether a request itself sets a variable.
func (v variables) has(name string) bool {
	is := func(of values.Variable) bool { return of.Name == name }
	return slices.ContainsFunc(v.base, is) || slices.ContainsFunc(v.own, is) || slices.ContainsFunc(v.files, func(f *values.File) bool {
		_, ok := f.Vars[name]
		return ok
	})
}

// passAsked finds the user's variables that the provider asks for and that reach its
// commands. Each command's claim contains them, so that a policy learned from the run
// passes them again. Values of secrets are masked from now on.
func (r *Runner) passAsked() {
	for _, name := range slices.Concat(r.opts.Asked.EnvPass, r.opts.Asked.EnvSecret) {
		text, set := r.opts.Env.Lookup(name)
		switch {
		case !set:
		case !slices.ContainsFunc(r.opts.ChildEnv, func(entry string) bool { return strings.HasPrefix(entry, name+"=") }):
			r.withheld = append(r.withheld, name)
		default:
			if text != "" && slices.Contains(r.opts.Asked.EnvSecret, name) {
				r.opts.Env.Hide(name, text)
			}
			// Every command gets the baseline without a rule.
			if !capability.IsBaseline(name) {
				r.passed = append(r.passed, name)
			}
		}
	}
}

// Withheld returns the variables that the provider asks for, that are set, and that
// policies do not pass to its commands.
func (r *Runner) Withheld() []string { return r.withheld }

// assignment is a variable of a command and its source. The last with a name wins.
type assignment struct {
	hostfuncs.EnvStep
	value values.Reference
}

// assignments returns all variables of a command, in order.
func (r *Runner) assignments(v variables) []assignment {
	var all []assignment
	text := func(s string) values.Reference { return values.Reference{Value: abi.Text(s)} }
	for _, entry := range r.opts.ChildEnv {
		name, value, _ := strings.Cut(entry, "=")
		by := hostfuncs.EnvUser
		// Such as the directory for temporary files of a confined command.
		if own, set := r.opts.Env.Lookup(name); !set || own != value {
			by = hostfuncs.EnvHost
		}
		if name != "" {
			all = append(all, assignment{hostfuncs.EnvStep{Name: name, By: by}, text(value)})
		}
	}
	all = append(all, r.given(v.base)...)
	for _, f := range v.files {
		for _, name := range f.Names() {
			all = append(all, assignment{hostfuncs.EnvStep{Name: name, By: hostfuncs.EnvFile, From: f.Rel}, text(f.Vars[name])})
		}
	}
	return append(all, r.given(v.own)...)
}

// given returns variables that the provider sets.
func (r *Runner) given(list []values.Variable) []assignment {
	var all []assignment
	for _, v := range list {
		step := hostfuncs.EnvStep{Name: v.Name, By: hostfuncs.EnvProvider, From: v.Value.Env}
		all = append(all, assignment{step, v.Value})
	}
	return all
}

// environment returns the environment of a command.
func (r *Runner) environment(v variables) ([]string, error) {
	for _, f := range v.files {
		if f.Problem != nil {
			return nil, f.Problem
		}
		r.opts.Env.HideFile(f)
	}
	merged := make(map[string]string)
	for _, s := range r.assignments(v) {
		var err error
		if merged[s.Name], err = r.opts.Env.Value(s.value); err != nil {
			return nil, err
		}
	}
	// Windows has variables without a name for the directories of drives.
	env := slices.DeleteFunc(slices.Clone(r.opts.ChildEnv), func(entry string) bool { return !strings.HasPrefix(entry, "=") })
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		env = append(env, name+"="+merged[name])
	}
	return env, nil
}

// reaches returns the variables of a command and their sources, sorted by name and
// without values.
func (r *Runner) reaches(v variables) []hostfuncs.EnvStep {
	merged := make(map[string]hostfuncs.EnvStep)
	for _, s := range r.assignments(v) {
		merged[s.Name] = s.EnvStep
	}
	var steps []hostfuncs.EnvStep
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		steps = append(steps, merged[name])
	}
	return steps
}
