package dockerfile

import (
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// What expanding variables may come to. Two variables that hold each other
// twice would otherwise double with every line.
const (
	wordLimit  = 64 << 10 // bytes of a word, and of the values that go into it
	totalLimit = 16 << 20 // bytes of all words of a build
	// A replacement, ${A//x/y}, multiplies lengths.
	replacedLimit     = 1 << 10
	replacementsLimit = 2
)

var replacement = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)\$\{(\w*|.)/`) })

var errTooLong = errors.New("its variables come to more text than is allowed")

// Expander puts variables' values into words, within bounds.
type Expander struct {
	escape rune
	left   int
}

// NewExpander makes an expander for the instructions of a plan.
func (p *Plan) NewExpander() *Expander { return &Expander{escape: p.escape, left: totalLimit} }

// Word is a word with its variables' values and without its quotes.
func (x *Expander) Word(word string, vars *Vars) (string, error) {
	return x.expand(shell.NewLex(x.escape), word, vars)
}

// Raw is a text with its variables' values and all else as it is.
func (x *Expander) Raw(text string, vars *Vars) (string, error) {
	lex := shell.NewLex('\\')
	lex.SkipProcessQuotes = true
	return x.expand(lex, text, vars)
}

// Words is a word split at the blanks that it has without its quotes.
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

// process expands a word with a lexer. An error that does not depend on variables
// goes before one that a variable is unknown.
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

// lookup finds values for the lexer. It records the unknown ones, which the lexer
// takes for empty.
type lookup struct {
	vars    *Vars
	left    int
	unknown *unknownError
	// assume has what is not known be set to something.
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

// Vars are the variables that the instructions of a stage see: those that were
// set in it, and those of the stage or image that it begins with.
type Vars struct {
	below *Vars
	set   map[string]value
	// env are those of set that belong to the image, as ENV set them. A stage that
	// begins with this one has them again, whatever an ARG set after them.
	env map[string]value
	// open says that a variable which is not set here may be set in an image that
	// nobody has looked at.
	open bool
}

type value struct {
	text string
	// unknown is why nobody can tell the value before the build; nil where it
	// is known.
	unknown *unknownError
}

// NewVars are no variables.
func NewVars() *Vars { return (*Vars)(nil).Above() }

// Above are those of a stage that begins with v's, which stay as they are.
func (v *Vars) Above() *Vars {
	return &Vars{below: v, set: map[string]value{}, env: map[string]value{}}
}

// Set sets a variable as ARG does.
func (v *Vars) Set(name, text string) { v.set[name] = value{text: text} }

// SetEnv sets a variable as ENV does.
func (v *Vars) SetEnv(name, text string) { v.setEnv(name, value{text: text}) }

func (v *Vars) setEnv(name string, to value) { v.set[name], v.env[name] = to, to }

// Get is a variable's value; false where it is not set or not known.
func (v *Vars) Get(name string) (string, bool) {
	found, ok := v.find(name)
	return found.text, ok && found.unknown == nil
}

// find looks among those of the stage, then among what the stages below it and
// the image at the bottom leave to whoever begins with them, and then among what
// an ARG set there, which BuildKit forgets in the image alone.
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

// unknownError says that a word depends on a variable that is unknown before the
// build: a base image may set it, or it is about the builder's own platform.
type unknownError struct {
	name     string
	platform bool
}

func (e *unknownError) Error() string {
	switch {
	case !e.platform:
		return "this is unknown before the build: " + e.name + " may be set by the base image; write the value itself, or give it a default"
	case strings.HasPrefix(e.name, "TARGET"):
		return e.name + " depends on what builds, unless --platform says what the image is for"
	}
	return e.name + " depends on what builds"
}

// NeedsPlatform reports whether an error of [File.Plan] is that
// [Options.BuildPlatform] must be known.
func NeedsPlatform(err error) bool {
	e, ok := errors.AsType[*unknownError](err)
	return ok && e.platform
}
