package dockerfile

// Vars are the variables that the instructions of a stage see: those that were
// set in it, and those of the stage or image that it begins with.
type Vars struct {
	below *Vars
	set   map[string]value
	// env are those of set that belong to the image, as ENV set them. A stage that
	// begins with this one has them again, whatever an ARG set after them.
	env map[string]value
	// open says that a variable which isn't set here may be set in an image that
	// nobody has looked at.
	open bool
}

type value struct {
	text string
	// unknown is why nobody can tell the value before the build; empty where it
	// is known.
	unknown string
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

// Get is a variable's value; false where it isn't set or not known.
func (v *Vars) Get(name string) (string, bool) {
	found, ok := v.find(name)
	return found.text, ok && found.unknown == ""
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
			return value{unknown: name + " may be set by the base image"}, true
		}
	}
	for w := v.below; w != nil; w = w.below {
		if found, ok := w.set[name]; ok {
			return found, true
		}
	}
	return value{}, false
}

// unknownError says that a word depends on what is known only to the engine.
type unknownError struct{ reason string }

func (e *unknownError) Error() string {
	return "this can't be known before the build: " + e.reason + "; write the value itself, or give it a default"
}
