package hostfuncs

import (
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// variables are what a child gets over what every child gets: what comes later
// wins.
type variables struct {
	base  []variable // sorted by name
	files []*envFile
	own   []variable // sorted by name
}

type variable struct {
	name  string
	value reference
}

func (v variables) steps() []ValueStep {
	var steps []ValueStep
	for _, b := range v.base {
		steps = append(steps, valueStep(b.name, b.value.Value))
	}
	for _, f := range v.files {
		for _, name := range slices.Sorted(maps.Keys(f.vars)) {
			steps = append(steps, ValueStep{Name: name, From: f.rel})
		}
	}
	for _, o := range v.own {
		steps = append(steps, valueStep(o.name, o.value.Value))
	}
	return steps
}

func (e *envFiles) variables(q abi.ExecRequest) (v variables, err error) {
	if v.base, err = e.values(q.EnvBase); err != nil {
		return v, err
	}
	if v.files, err = e.named(q.EnvFiles); err != nil {
		return v, err
	}
	v.own, err = e.values(q.Env)
	return v, err
}

// values sorts what a request has in no order.
func (e *envFiles) values(named map[string]abi.Value) ([]variable, error) {
	var list []variable
	for _, name := range slices.Sorted(maps.Keys(named)) {
		value, err := e.refer(named[name])
		if err != nil {
			return nil, err
		}
		list = append(list, variable{name, value})
	}
	return list, nil
}

func (v variable) claim(c *capability.Claim) {
	c.Env = append(c.Env, capability.EnvUse{Name: v.name, Use: capability.Set})
	v.value.claim(c)
}

// assignment is one variable of a child, and where it comes from. Of several of one
// name the last counts.
type assignment struct {
	EnvStep
	value func() (string, error)
}

// assignments are all that a child gets, in their order.
func (w *World) assignments(v variables) []assignment {
	var all []assignment
	text := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	for _, entry := range w.ChildEnv {
		name, value, _ := strings.Cut(entry, "=")
		by := EnvUser
		// Such as the directory for temporary files of a confined command.
		if own, set := w.lookupEnv(name); !set || own != value {
			by = EnvHost
		}
		if name != "" {
			all = append(all, assignment{EnvStep{Name: name, By: by}, text(value)})
		}
	}
	all = append(all, w.given(v.base)...)
	for _, f := range v.files {
		for _, name := range slices.Sorted(maps.Keys(f.vars)) {
			all = append(all, assignment{EnvStep{Name: name, By: EnvFile, From: f.rel}, text(f.vars[name])})
		}
	}
	return append(all, w.given(v.own)...)
}

// given are variables that the provider sets.
func (w *World) given(list []variable) []assignment {
	var all []assignment
	for _, v := range list {
		all = append(all, assignment{EnvStep{Name: v.name, By: EnvProvider, From: v.value.Env}, func() (string, error) { return w.value(v.value) }})
	}
	return all
}

// environment puts what a request has over what every child gets.
func (w *World) environment(v variables) ([]string, error) {
	for _, f := range v.files {
		if f.problem != nil {
			return nil, f.problem
		}
		w.hideFile(f)
	}
	merged := make(map[string]string)
	for _, s := range w.assignments(v) {
		var err error
		if merged[s.Name], err = s.value(); err != nil {
			return nil, err
		}
	}
	// Windows keeps directories of drives under no name.
	env := slices.DeleteFunc(slices.Clone(w.ChildEnv), func(entry string) bool { return !strings.HasPrefix(entry, "=") })
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		env = append(env, name+"="+merged[name])
	}
	return env, nil
}

// reaches tells what a child's environment has, and where each of it comes from,
// sorted by name; it has no values.
func (w *World) reaches(v variables) []EnvStep {
	merged := make(map[string]EnvStep)
	for _, s := range w.assignments(v) {
		merged[s.Name] = s.EnvStep
	}
	var steps []EnvStep
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		steps = append(steps, merged[name])
	}
	return steps
}
