// Package values resolves references to the host's environment and to dotenv files,
// reports with env_status whether variables are set, and masks values. Programs that
// run get the values, providers never do.
package values

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// Environment resolves references: in the host's environment, and in dotenv files of
// the project.
type Environment struct {
	opts   Options
	hidden hidden
}

// Options are the parts of an environment. All are required.
type Options struct {
	Project *files.Project
	// Environ is the host's environment, as "NAME=value".
	Environ []string
	// Mask receives the values that must not be shown. Log reports their names, and
	// Warn those of values that are too short.
	Mask *redact.Set
	Log  func(level abi.Level, message string)
	Warn func(error)
}

// New returns an environment.
func New(opts Options) *Environment { return &Environment{opts: opts} }

// Environ is the host's environment, as "NAME=value".
func (e *Environment) Environ() []string { return e.opts.Environ }

// Lookup finds a variable of the host.
func (e *Environment) Lookup(name string) (value string, ok bool) {
	return Lookup(e.opts.Environ, name)
}

// Lookup finds a variable among entries like "NAME=value"; the last one wins.
func Lookup(environ []string, name string) (value string, ok bool) {
	for _, entry := range environ {
		if n, v, found := strings.Cut(entry, "="); found && n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// Get returns the value of a variable of the host, empty if it is not set.
func (e *Environment) Get(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// Reference is a value of a request, with the dotenv files that it may be in.
type Reference struct {
	abi.Value
	files []*File
}

// Claim adds the rights that a value needs if it is a reference.
func (r Reference) Claim(c *capability.Claim) {
	for _, f := range r.files {
		f.Claim(c)
	}
	if r.Env != "" {
		c.Env = append(c.Env, capability.EnvUse{Name: r.Env, Use: capability.Pass})
	}
}

// Variable is a variable that a request sets.
type Variable struct {
	Name  string
	Value Reference
}

// Claim adds the rights that a variable needs.
func (v Variable) Claim(c *capability.Claim) {
	c.Env = append(c.Env, capability.EnvUse{Name: v.Name, Use: capability.Set})
	v.Value.Claim(c)
}

// Find looks a reference up. A file that cannot be used is an error, wherever the
// variable is.
func (e *Environment) Find(r Reference) (text string, ok bool, err error) {
	for _, f := range r.files {
		if f.Problem != nil {
			return "", false, f.Problem
		}
		if v, has := f.Vars[r.Env]; has {
			text, ok = v, true
		}
	}
	if !ok {
		text, ok = e.Lookup(r.Env)
	}
	return text, ok, nil
}

// Value resolves a reference and masks its value from now on. Only an operation's
// Do may call it.
func (e *Environment) Value(r Reference) (string, error) {
	if r.Env == "" {
		return r.Text, nil
	}
	text, ok, err := e.Find(r)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", &abi.Error{
			Code: abi.CodeNotFound, Message: fmt.Sprintf("variable %s is not set", r.Env),
			Hint: "set it in the environment that stagecraft runs in",
		}
	}
	e.Hide(r.Env, text)
	return text, nil
}

// Planned describes a value in a plan, without the value.
type Planned struct {
	Name string `json:"name,omitempty"`
	// From is the variable or dotenv file of the value; without one, SHA256 is the
	// digest of the value, in hex.
	From   string `json:"from,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// String returns the name of the value, and of the variable or file it is from.
func (p Planned) String() string {
	if p.From == "" {
		return p.Name
	}
	return p.Name + " from " + p.From
}

// Plan describes a value for a plan.
func Plan(name string, v abi.Value) Planned {
	if v.Env != "" {
		return Planned{Name: name, From: v.Env}
	}
	sum := sha256.Sum256([]byte(v.Text))
	return Planned{Name: name, SHA256: hex.EncodeToString(sum[:])}
}

// Operations is env_status. It reports whether variables are set, so that a
// provider can warn of a missing one. It never reports a value.
func (e *Environment) Operations() []hostfuncs.Operation {
	return []hostfuncs.Operation{hostfuncs.Op[abi.EnvStatusRequest, []Reference, abi.EnvStatusResult]{
		Name: abi.OpEnvStatus, Resolve: e.resolveStatus, Claim: claimStatus, Do: e.status, Looks: true,
	}}
}

func (e *Environment) resolveStatus(_ context.Context, q abi.EnvStatusRequest) ([]Reference, error) {
	if len(q.Names) == 0 {
		return nil, abi.Errorf(abi.CodeInvalid, "env_status: names is empty")
	}
	files, err := e.Request().Files(q.Files)
	if err != nil {
		return nil, err
	}
	asked := make([]Reference, len(q.Names))
	for i, name := range q.Names {
		asked[i] = Reference{abi.EnvRef(name, q.Files...), files}
	}
	return asked, nil
}

func claimStatus(asked []Reference) capability.Claim {
	var c capability.Claim
	for _, r := range asked {
		for _, f := range r.files {
			f.Claim(&c)
		}
		c.Env = append(c.Env, capability.EnvUse{Name: r.Env, Use: capability.Look})
	}
	return c
}

func (e *Environment) status(_ context.Context, asked []Reference) (abi.EnvStatusResult, error) {
	states := make(map[string]abi.EnvState, len(asked))
	for _, r := range asked {
		text, ok, err := e.Find(r)
		switch {
		case err != nil:
			return abi.EnvStatusResult{}, err
		case !ok:
			states[r.Env] = abi.EnvMissing
		case strings.Trim(text, "\r\n") == "":
			states[r.Env] = abi.EnvEmpty
		default:
			states[r.Env] = abi.EnvSet
		}
	}
	return abi.EnvStatusResult{States: states}, nil
}
