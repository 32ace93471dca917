package dockerfile

import (
	"errors"
	"strings"
)

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
