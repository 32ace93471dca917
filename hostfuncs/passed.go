package hostfuncs

import (
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// PassOn takes in which of the user's variables a provider asks for, once it is
// known what of its environment commands get. Those that they get are part of each
// command's claim, so that a policy is learnt that passes them again; values of
// secrets are masked from now on.
func (w *World) PassOn(asks abi.Capabilities) {
	w.passedOn, w.withheld = nil, nil
	for _, name := range slices.Concat(asks.EnvPass, asks.EnvSecret) {
		text, set := w.lookupEnv(name)
		switch {
		case !set:
		case !w.childGets(name):
			w.withheld = append(w.withheld, name)
		default:
			if text != "" && slices.Contains(asks.EnvSecret, name) {
				w.hide(name, text)
			}
			// Nobody needs a rule for what every command gets.
			if !capability.IsBaseline(name) {
				w.passedOn = append(w.passedOn, name)
			}
		}
	}
}

// Withheld are variables that a provider asks for, that are set, and that policies
// keep from its commands.
func (w *World) Withheld() []string { return w.withheld }

func (w *World) childGets(name string) bool {
	return slices.ContainsFunc(w.ChildEnv, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
}

// passedBeside are those of the user's variables that a command gets beside what
// its request has.
func (w *World) passedBeside(v variables) []string {
	return slices.DeleteFunc(slices.Clone(w.passedOn), v.has)
}

// has tells whether a request has a variable itself.
func (v variables) has(name string) bool {
	is := func(of variable) bool { return of.name == name }
	return slices.ContainsFunc(v.base, is) || slices.ContainsFunc(v.own, is) || slices.ContainsFunc(v.files, func(f *envFile) bool {
		_, ok := f.vars[name]
		return ok
	})
}
