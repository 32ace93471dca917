package dockerfile

import (
	"errors"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

var (
	errOneTrigger   = errors.New("a trigger is one instruction")
	errFromVariable = errors.New("--from does not expand variables: name the image in a FROM with an ARG, and that stage here")
)

// evaluate evaluates a stage's variables and expands the words that decide what a
// build needs: sources of ADD and COPY, mounts of RUN.
func (r *resolver) evaluate(s *Stage) error {
	vars := r.forStage(s)
	s.vars, s.dir = vars, dirOf(s.Source)
	for i := range s.Commands {
		c := &s.Commands[i]
		err := r.refuse(s, *c, vars)
		if err == nil {
			c.Takes = takes(*c)
			err = r.command(c, vars)
		}
		if err != nil {
			return r.locate(err, c.Line)
		}
	}
	return nil
}

func (r *resolver) command(c *Command, vars *Vars) error {
	switch known := c.Command.(type) {
	case *instructions.ArgCommand:
		for _, arg := range known.Args {
			if err := r.arg(vars, arg); err != nil {
				return err
			}
		}
	case *instructions.EnvCommand:
		return r.env(vars, known)
	case *instructions.AddCommand:
		for _, word := range known.SourcePaths {
			if err := r.remote(c, word, vars); err != nil {
				return err
			}
		}
	case *instructions.RunCommand:
		for _, flag := range c.mounts {
			m, err := r.mount(flag, vars)
			if err != nil {
				return err
			}
			c.Mounts = append(c.Mounts, m)
		}
	}
	return nil
}

// remote notes the source of an ADD if it is fetched.
func (r *resolver) remote(c *Command, word string, vars *Vars) error {
	source, err := r.expander.Word(word, vars)
	if _, ok := err.(*unknownError); ok && (word[0] == '/' || word[0] == '.') {
		// The path is in the context, whatever the variable is.
		return nil
	}
	if err != nil {
		return err
	}
	remote, err := isRemote(source)
	if remote {
		c.Remotes = append(c.Remotes, source)
	}
	return err
}

// isRemote reports whether the source of an ADD is a URL or a git repository.
func isRemote(source string) (bool, error) {
	git, isGit, err := dfgitutil.ParseGitRef(source)
	if err != nil && isGit {
		return false, err
	}
	if err == nil && !git.IndistinguishableFromLocal {
		return true, nil
	}
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://"), nil
}

func (r *resolver) arg(vars *Vars, arg instructions.KeyValuePairOptional) error {
	text, ok, err := r.plan.ArgValue(r.expander, arg, vars)
	if unknown, isUnknown := err.(*unknownError); isUnknown {
		vars.set[arg.Key] = value{unknown: unknown}
		return nil
	}
	if ok {
		vars.Set(arg.Key, text)
	}
	return err
}

// env sets the variables of one ENV, which do not see each other.
func (r *resolver) env(vars *Vars, c *instructions.EnvCommand) error {
	set := NewVars()
	for _, pair := range c.Env {
		name, err := r.expander.Word(pair.Key, vars)
		if err != nil {
			return err
		}
		if err := r.assign(set, vars, name, pair.Value); err != nil {
			return err
		}
	}
	for name, value := range set.set {
		vars.setEnv(name, value)
	}
	return nil
}
