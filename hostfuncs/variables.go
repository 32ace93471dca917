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

// environment puts what a request has over what every child gets.
func (w *World) environment(v variables) ([]string, error) {
	merged := make(map[string]string)
	var env []string
	for _, entry := range w.ChildEnv {
		if name, text, _ := strings.Cut(entry, "="); name != "" {
			merged[name] = text
		} else {
			env = append(env, entry) // Windows keeps folders of drives so
		}
	}
	if err := w.put(merged, v.base); err != nil {
		return nil, err
	}
	for _, f := range v.files {
		if f.problem != nil {
			return nil, f.problem
		}
		w.hideFile(f)
		maps.Copy(merged, f.vars)
	}
	if err := w.put(merged, v.own); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		env = append(env, name+"="+merged[name])
	}
	return env, nil
}

func (w *World) put(merged map[string]string, list []variable) error {
	for _, v := range list {
		text, err := w.value(v.value)
		if err != nil {
			return err
		}
		merged[v.name] = text
	}
	return nil
}
