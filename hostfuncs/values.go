package hostfuncs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dotenv"
)

// envFile is a dotenv file as it was read. What is in it is for what runs, and
// never for the provider.
type envFile struct {
	rel  string
	vars map[string]string
	// taken are the host's variables that its values are made of.
	taken []string
	// problem is why it can't be used, for after the decision.
	problem error
}

// reference is a value as a request has it, with the files that it may be in.
type reference struct {
	abi.Value
	files []*envFile
}

// maxEnvFile bounds a dotenv file, in bytes.
const maxEnvFile = 1 << 20

// maxEnvFiles is how many dotenv files one request can name. They are read before
// it is decided on, and each can be as large as a file may be.
const maxEnvFiles = 32

// envFiles are the dotenv files of one request, each of them read once.
type envFiles struct {
	world *World
	read  map[string]*envFile // by their paths in the project
}

func (w *World) newEnvFiles() *envFiles { return &envFiles{w, make(map[string]*envFile)} }

// named gives the files that a list of a request names. Only a path that leaves
// the project directory is an error at once, and more files than can be.
func (e *envFiles) named(list []string) ([]*envFile, error) {
	if len(list) > maxEnvFiles {
		return nil, manyEnvFiles()
	}
	files := make([]*envFile, len(list))
	for i, name := range list {
		at, err := e.world.locate(name)
		if err != nil {
			return nil, ofField("env_files", err)
		}
		if e.read[at.rel] == nil {
			if len(e.read) == maxEnvFiles {
				return nil, manyEnvFiles()
			}
			e.read[at.rel] = e.world.readEnvFile(at)
		}
		files[i] = e.read[at.rel]
	}
	return files, nil
}

func manyEnvFiles() error {
	return ofField("env_files", abi.Errorf(abi.CodeInvalid, "more than %d dotenv files are named", maxEnvFiles))
}

func (e *envFiles) refer(v abi.Value) (reference, error) {
	files, err := e.named(v.Files)
	return reference{v, files}, err
}

func (w *World) readEnvFile(at place) *envFile {
	f := &envFile{rel: at.rel}
	data, err := w.readRegular(at, maxEnvFile)
	if err != nil {
		f.problem = err
		return f
	}
	taken := make(map[string]bool)
	f.vars, err = dotenv.Parse(data, func(variable string) (string, bool) {
		text, ok := w.lookupEnv(variable)
		if ok {
			taken[variable] = true
		}
		return text, ok
	})
	if err != nil {
		f.problem = abi.Errorf(abi.CodeInvalid, "%s: %v", quotePath(at.rel), err)
	}
	f.taken = slices.Sorted(maps.Keys(taken))
	return f
}

// load claims that a file's variables, and no other file's, are used.
func (f *envFile) load(c *capability.Claim) {
	use := capability.FileUse{Path: f.rel, Use: capability.Load}
	if slices.Contains(c.Files, use) {
		return
	}
	c.Files = append(c.Files, use)
	for _, name := range f.taken {
		f.pass(c, name)
	}
}

func (f *envFile) pass(c *capability.Claim, name string) {
	c.Env = append(c.Env, capability.EnvUse{Name: name, Use: capability.Pass, From: f.rel})
}

// claim adds what a value needs, where it is a reference.
func (r reference) claim(c *capability.Claim) {
	for _, f := range r.files {
		f.load(c)
	}
	if r.Env != "" {
		c.Env = append(c.Env, capability.EnvUse{Name: r.Env, Use: capability.Pass})
	}
}

// find looks a reference up. A file that can't be used is an error, whether the
// variable would have been in it or not.
func (w *World) find(r reference) (text string, ok bool, err error) {
	for _, f := range r.files {
		if f.problem != nil {
			return "", false, f.problem
		}
		if v, has := f.vars[r.Env]; has {
			text, ok = v, true
		}
	}
	if !ok {
		text, ok = w.lookupEnv(r.Env)
	}
	return text, ok, nil
}

// value resolves a reference, and sees to it that nobody is shown what it is of.
// Only an operation's Do may.
func (w *World) value(r reference) (string, error) {
	if r.Env == "" {
		return r.Text, nil
	}
	text, ok, err := w.find(r)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", &abi.Error{
			Code: abi.CodeNotFound, Message: fmt.Sprintf("variable %s is not set", r.Env),
			Hint: "set it in the environment that stagecraft runs in",
		}
	}
	w.hide(r.Env, text)
	return text, nil
}

// envState tells of a variable what a reference to it would find.
func (w *World) envState(r reference) (abi.EnvState, error) {
	switch text, ok, err := w.find(r); {
	case err != nil:
		return "", err
	case !ok:
		return abi.EnvMissing, nil
	case strings.Trim(text, "\r\n") == "":
		return abi.EnvEmpty, nil
	}
	return abi.EnvSet, nil
}
