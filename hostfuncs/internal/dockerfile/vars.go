package dockerfile

// Vars are the variables that the instructions of a stage see: those that were
// set in it, and those of the stage or image that it begins with.
type Vars struct {
	below *Vars
	set   map[string]value
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
func NewVars() *Vars { return &Vars{set: map[string]value{}} }

// Above are variables that come before v's, which stay as they are.
func (v *Vars) Above() *Vars { return &Vars{below: v, set: map[string]value{}} }

// Set sets a variable.
func (v *Vars) Set(name, text string) { v.set[name] = value{text: text} }

// Get is a variable's value; false where it isn't set or not known.
func (v *Vars) Get(name string) (string, bool) {
	found, ok := v.find(name)
	return found.text, ok && found.unknown == ""
}

func (v *Vars) find(name string) (value, bool) {
	for ; v != nil; v = v.below {
		if found, ok := v.set[name]; ok {
			return found, true
		}
		if v.open {
			return value{unknown: name + " may be set by the base image"}, true
		}
	}
	return value{}, false
}

// unknownError says that a word depends on what is known only to the engine.
type unknownError struct{ reason string }

func (e *unknownError) Error() string {
	return "this can't be known before the build: " + e.reason + "; write the value itself, or give it a default"
}
