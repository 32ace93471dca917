package cli

import (
	"slices"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// ceilingsEnv names ceilings in the environment.
const ceilingsEnv = "STAGECRAFT_POLICY"

// namedCeilings are the policies that were given from outside of the project. What
// the environment names can't be taken away by an option, and a variable that is
// set and names nothing is a ceiling that got lost.
//
// # Errors
//
// A [*usageError] for an option, yamldoc.Problems for the variable.
func (a *app) namedCeilings() ([]session.Ceiling, error) {
	var ceilings []session.Ceiling
	if a.isSet(ceilingsEnv) {
		var err error
		if ceilings, err = session.ParseCeilings(a.getenv(ceilingsEnv)); err != nil {
			return nil, yamldoc.Problems{{
				Field: ceilingsEnv, Message: err.Error(),
				Hint: "it names policies as PATH has directories, each FILE or FILE@sha256:DIGEST; unset it where no ceiling is meant",
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

// isSet tells whether there is a variable, with whatever value.
func (a *app) isSet(name string) bool {
	return slices.ContainsFunc(a.Environ, func(entry string) bool {
		return len(entry) > len(name) && entry[len(name)] == '=' && entry[:len(name)] == name
	})
}

// inProject is what is made of a ceiling that lies in the project.
func (a *app) inProject() session.InProject {
	switch {
	case a.grammar.Allow:
		return session.AllowInProject
	case a.inCI():
		return session.RefuseInProject
	}
	return session.WarnInProject
}
