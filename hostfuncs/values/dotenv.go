package values

import (
	"maps"
	"slices"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dotenv"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// File is a dotenv file as it was read.
type File struct {
	// Rel is its path in the project, with slashes.
	Rel  string
	Vars map[string]string
	// Problem is why the file cannot be used. It is reported after the decision.
	Problem error
	taken   []string // the host's variables that its values use
}

// maxFile is the largest dotenv file, in bytes.
const maxFile = 1 << 20

// maxFiles is how many dotenv files one request may name. They are read before the
// decision.
const maxFiles = 32

// Request reads the dotenv files of one request, each once.
type Request struct {
	env  *Environment
	read map[string]*File // by their paths in the project
}

// Request returns a reader for the dotenv files of a new request.
func (e *Environment) Request() *Request { return &Request{e, make(map[string]*File)} }

// Files reads the files that a request names. Its errors are only paths that leave the
// project directory, and too many files; for others see [File].
func (r *Request) Files(named []string) ([]*File, error) {
	if len(named) > maxFiles {
		return nil, tooManyFiles()
	}
	list := make([]*File, len(named))
	for i, name := range named {
		at, err := r.env.opts.Project.Locate(name)
		if err != nil {
			return nil, hostfuncs.OfField("env_files", err)
		}
		if r.read[at.Rel] == nil {
			if len(r.read) == maxFiles {
				return nil, tooManyFiles()
			}
			r.read[at.Rel] = r.env.readFile(at)
		}
		list[i] = r.read[at.Rel]
	}
	return list, nil
}

func tooManyFiles() error {
	return hostfuncs.OfField("env_files", abi.Errorf(abi.CodeInvalid, "more than %d dotenv files are named", maxFiles))
}

// Refer reads the files of a value.
func (r *Request) Refer(v abi.Value) (Reference, error) {
	list, err := r.Files(v.Files)
	return Reference{v, list}, err
}

// Variables returns the variables that a request sets, sorted by name.
func (r *Request) Variables(named map[string]abi.Value) ([]Variable, error) {
	var list []Variable
	for _, name := range slices.Sorted(maps.Keys(named)) {
		value, err := r.Refer(named[name])
		if err != nil {
			return nil, err
		}
		list = append(list, Variable{name, value})
	}
	return list, nil
}

func (e *Environment) readFile(at files.Place) *File {
	f := &File{Rel: at.Rel}
	data, err := e.opts.Project.Read(at, maxFile)
	if err != nil {
		f.Problem = err
		return f
	}
	taken := make(map[string]bool)
	f.Vars, err = dotenv.Parse(data, func(variable string) (string, bool) {
		text, ok := e.Lookup(variable)
		if ok {
			taken[variable] = true
		}
		return text, ok
	})
	if err != nil {
		f.Problem = abi.Errorf(abi.CodeInvalid, "%q: %v", at.Rel, err)
	}
	f.taken = slices.Sorted(maps.Keys(taken))
	return f
}

// Claim adds the right to use a file, and the host's variables that its values use.
func (f *File) Claim(c *capability.Claim) {
	use := capability.FileUse{Path: f.Rel, Use: capability.Load}
	if slices.Contains(c.Files, use) {
		return
	}
	c.Files = append(c.Files, use)
	f.pass(c, f.taken)
}

// ClaimAll adds the right to pass all variables of a file on.
func (f *File) ClaimAll(c *capability.Claim) {
	f.Claim(c)
	f.pass(c, f.Names())
}

func (f *File) pass(c *capability.Claim, names []string) {
	for _, name := range names {
		c.Env = append(c.Env, capability.EnvUse{Name: name, Use: capability.Pass, From: f.Rel})
	}
}

// Names are the names of the file's variables, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.Vars)) }

// AskedRules returns rules for the variables and dotenv files that a provider asks for.
func (e *Environment) AskedRules(a *asks.Asks) []capability.Rule {
	var rules []capability.Rule
	for _, name := range slices.Concat(a.Env, a.EnvPass, a.EnvSecret) {
		rules = append(rules, capability.AllowEnv(name, yamldoc.Pos{}))
	}
	for _, pointer := range a.EnvFrom {
		a.Each(pointer, func(name string, pos yamldoc.Pos) { rules = append(rules, capability.AllowEnv(name, pos)) })
	}
	for _, pointer := range a.EnvFilesFrom {
		a.Each(pointer, func(named string, pos yamldoc.Pos) {
			loads, vars := e.AskedFile(named, pos)
			rules = append(rules, loads...)
			for _, name := range vars {
				rules = append(rules, capability.AllowEnv(name, pos))
			}
		})
	}
	return rules
}

// AskedReference returns rules for the reference at a pointer, with its variable and
// dotenv files; none if there is no reference.
func (e *Environment) AskedReference(a *asks.Asks, pointer string) []capability.Rule {
	name := a.Text(abi.UnderPointer(pointer, "env"))
	if name == "" {
		return nil
	}
	rules := []capability.Rule{capability.AllowEnv(name, a.Position(pointer))}
	list := abi.UnderPointer(pointer, "files")
	for i, file := range a.Texts(list) {
		loads, _ := e.AskedFile(file, a.Position(abi.UnderPointer(list, strconv.Itoa(i))))
		rules = append(rules, loads...)
	}
	return rules
}

// AskedFile returns rules for a dotenv file that the configuration names, and for the
// host's variables that its values use. vars are the names of the file's variables. A
// file outside of the project is not allowed; the call reports why.
func (e *Environment) AskedFile(named string, pos yamldoc.Pos) (rules []capability.Rule, vars []string) {
	at, err := e.opts.Project.Locate(named)
	if err != nil {
		return nil, nil
	}
	rules = append(rules, capability.AllowLoad(at.Rel, pos))
	f := e.readFile(at)
	for _, name := range f.taken {
		rules = append(rules, capability.AllowEnv(name, pos))
	}
	return rules, f.Names()
}
