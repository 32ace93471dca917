package dockerfile

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Bounds of expanded text. Two variables that contain each other twice would otherwise
// double with every line.
const (
	wordLimit  = 64 << 10 // bytes of a word, and of the values in it
	totalLimit = 16 << 20 // bytes of all words of a build
	// A replacement, ${A//x/y}, multiplies lengths.
	replacedLimit     = 1 << 10
	replacementsLimit = 2
)

var replacement = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)\$\{(\w*|.)/`) })

var errTooLong = errors.New("its variables expand to more text than is allowed")

// Expander expands variables in words, within bounds.
type Expander struct {
	escape rune
	left   int
}

// NewExpander returns an expander for the instructions of a plan.
func (p *Plan) NewExpander() *Expander { return &Expander{escape: p.escape, left: totalLimit} }

// Word expands a word and removes its quotes.
func (x *Expander) Word(word string, vars *Vars) (string, error) {
	return x.expand(shell.NewLex(x.escape), word, vars)
}

// Raw expands a text and keeps its quotes.
func (x *Expander) Raw(text string, vars *Vars) (string, error) {
	lex := shell.NewLex('\\')
	lex.SkipProcessQuotes = true
	return x.expand(lex, text, vars)
}

// Words expands a word and splits it at unquoted blanks.
func (x *Expander) Words(word string, vars *Vars) (words []string, err error) {
	lex := shell.NewLex(x.escape)
	err = x.process(word, vars, func(env *lookup) (string, error) {
		var err error
		words, err = lex.ProcessWords(word, env)
		return strings.Join(words, ""), err
	})
	return words, err
}

func (x *Expander) expand(lex *shell.Lex, word string, vars *Vars) (text string, err error) {
	err = x.process(word, vars, func(env *lookup) (string, error) {
		var err error
		text, _, err = lex.ProcessWord(word, env)
		return text, err
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

// process expands a word with a lexer. Errors that do not depend on variables take
// precedence over unknown variables.
func (x *Expander) process(word string, vars *Vars, expand func(*lookup) (string, error)) error {
	env, err := x.lookup(word, vars)
	if err != nil {
		return err
	}
	text, err := expand(env)
	if err != nil && env.unknown != nil {
		_, err = expand(&lookup{vars: vars, left: env.left, assume: true})
	}
	x.left -= len(text)
	switch {
	case env.left < 0 || x.left < 0:
		return errTooLong
	case err == nil && env.unknown != nil:
		return env.unknown
	}
	return err
}

func (x *Expander) lookup(word string, vars *Vars) (*lookup, error) {
	limit := wordLimit
	if n := len(replacement().FindAllStringIndex(word, replacementsLimit+1)); n > replacementsLimit {
		return nil, errTooLong
	} else if n > 0 {
		limit = replacedLimit
	}
	if strings.Contains(word, "$") && len(word) > limit {
		return nil, errTooLong
	}
	return &lookup{vars: vars, left: limit}, nil
}

// lookup finds values for the lexer. It records unknown variables, which the lexer sees
// as empty.
type lookup struct {
	vars    *Vars
	left    int
	unknown *unknownError
	// assume sets unknown variables to a dummy value.
	assume bool
}

func (l *lookup) Get(name string) (string, bool) {
	found, ok := l.vars.find(name)
	if found.unknown != nil {
		l.unknown = found.unknown
		if l.assume {
			return "1", true
		}
	}
	if l.left -= len(found.text); l.left < 0 {
		return "", ok
	}
	return found.text, ok
}

func (*lookup) Keys() []string { return nil }

// Vars are the variables of a stage: those set in it, and those of the stage or image
// that it begins with.
type Vars struct {
	below *Vars
	set   map[string]value
	// env are the variables that ENV set. A stage that begins with this one has them,
	// even if an ARG has replaced them here.
	env map[string]value
	// open means that other variables may be set in an image that was not read.
	open bool
}

type value struct {
	text string
	// unknown says why the value is unknown before the build; nil if it is known.
	unknown *unknownError
}

// NewVars returns an empty set of variables.
func NewVars() *Vars { return (*Vars)(nil).Above() }

// Above returns the variables of a stage that begins with v's stage.
func (v *Vars) Above() *Vars {
	return &Vars{below: v, set: map[string]value{}, env: map[string]value{}}
}

// Set sets a variable as ARG does.
func (v *Vars) Set(name, text string) { v.set[name] = value{text: text} }

// SetEnv sets a variable as ENV does.
func (v *Vars) SetEnv(name, text string) { v.setEnv(name, value{text: text}) }

func (v *Vars) setEnv(name string, to value) { v.set[name], v.env[name] = to, to }

// Get returns a variable's value, false if it is unset or unknown.
func (v *Vars) Get(name string) (string, bool) {
	found, ok := v.find(name)
	return found.text, ok && found.unknown == nil
}

// find looks in the stage, then in the ENVs of the stages and the image below, then in
// the ARGs of those stages, which BuildKit keeps between stages but not in the image.
func (v *Vars) find(name string) (value, bool) {
	if v == nil {
		return value{}, false
	}
	if found, ok := v.set[name]; ok {
		return found, true
	}
	for w := v; w != nil; w = w.below {
		if found, ok := w.env[name]; ok {
			return found, true
		}
		if w.open {
			return value{unknown: &unknownError{name: name}}, true
		}
	}
	for w := v.below; w != nil; w = w.below {
		if found, ok := w.set[name]; ok {
			return found, true
		}
	}
	return value{}, false
}

// unknownError means that a word depends on a variable that is unknown before the
// build: a base image may set it, or it describes the builder's platform.
type unknownError struct {
	name     string
	platform bool
}

func (e *unknownError) Error() string {
	switch {
	case !e.platform:
		return "this is unknown before the build: " + e.name + " may be set by the base image; write the value itself, or give it a default"
	case strings.HasPrefix(e.name, "TARGET"):
		return e.name + " depends on the builder, unless --platform gives the platform of the image"
	}
	return e.name + " depends on the builder"
}

// NeedsPlatform reports whether an error of [File.Plan] means that
// [Options.BuildPlatform] is required.
func NeedsPlatform(err error) bool {
	e, ok := errors.AsType[*unknownError](err)
	return ok && e.platform
}
