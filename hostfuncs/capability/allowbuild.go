package capability

import (
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// AllowBuild allows builds exactly that text in the list of a policy's section
// build with that key, such as secrets. It is written as a [Build] has it. New
// refuses a list that isn't known, and what no build can have.
func AllowBuild(key, text string, pos yamldoc.Pos) Rule {
	return made(text, pos, inList(key, func(l textList, of *textRules, r *Rule) error {
		if text == "" {
			return errors.New("is empty")
		}
		if fault := l.fault(text); fault != "" {
			return errors.New(fault)
		}
		of.exact[text] = first(of.exact[text], r)
		return nil
	}))
}

// AllowAnyBuild allows builds whatever they have for the list with that key: it
// is for what somebody else than the provider chooses.
func AllowAnyBuild(key string) Rule {
	return made("any "+key, yamldoc.Pos{}, inList(key, func(_ textList, of *textRules, _ *Rule) error {
		of.any = true
		return nil
	}))
}

// BoundBuild allows nothing. It keeps builds to what other rules allow of a
// list of which, without any, everything is allowed.
func BoundBuild(key string) Rule {
	return made("no other "+key, yamldoc.Pos{}, inList(key, func(textList, *textRules, *Rule) error { return nil }))
}

func inList(key string, apply func(textList, *textRules, *Rule) error) func(*section, *Rule) error {
	return func(s *section, r *Rule) error {
		l, ok := textListOf("build." + key)
		if !ok {
			return fmt.Errorf("is of no list build.%s", key)
		}
		return apply(l, s.rulesOf(l), r)
	}
}

// AllowNetwork allows the steps of builds to reach that network, and those
// that are less.
func AllowNetwork(name string, pos yamldoc.Pos) Rule {
	return made(name, pos, func(s *section, _ *Rule) error {
		most, ok := networks[name]
		if !ok {
			return errors.New("is no network")
		}
		s.network = max(s.network, most)
		return nil
	})
}
