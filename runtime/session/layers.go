package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/module"
	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

// PolicyFile is the name of the project's policy, beside stagecraft.yml.
const PolicyFile = "stagecraft.policy.yml"

// loadPolicies reads the project's policy, if it has one, and the ceilings.
func (s *Session) loadPolicies() error {
	path := filepath.Join(s.config.Root, PolicyFile)
	// A link that leads nowhere is no lack of a policy: somebody wanted one.
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if s.project, err = ReadPolicy(path, capability.Project); err != nil {
			return err
		}
	}
	var err error
	s.ceilings, err = ReadCeilings(s.opts, s.config.Root)
	return err
}

// ReadCeilings reads the ceilings of what is done in the project at root, which
// is empty where there is no project.
//
// # Errors
//
// yamldoc.Problems.
func ReadCeilings(opts Options, root string) ([]*capability.Policy, error) {
	var ceilings []*capability.Policy
	for _, file := range opts.Ceilings {
		abs, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		ceiling, err := ReadPolicy(abs, capability.Ceiling)
		if err != nil {
			return nil, err
		}
		ceilings = append(ceilings, ceiling)
		if root != "" {
			warnOfInside(opts.Reporter, root, abs)
		}
	}
	return ceilings, nil
}

// warnOfInside tells of a ceiling that whoever can change the project can
// change as well.
func warnOfInside(reporter Reporter, root, ceiling string) {
	resolved, err := filepath.EvalSymlinks(ceiling)
	if err != nil {
		return
	}
	if rel, err := filepath.Rel(root, resolved); err == nil && filepath.IsLocal(rel) {
		reporter.Warn(fmt.Errorf("the ceiling %s is in the project: whoever can change the project can change it too", ceiling))
	}
}

// ReadPolicy reads one policy file.
//
// # Errors
//
// yamldoc.Problems, also when the file can't be read.
func ReadPolicy(path string, layer capability.Layer) (*capability.Policy, error) {
	data, err := config.ReadFile(path)
	if err != nil {
		return nil, yamldoc.Problems{{Pos: yamldoc.Pos{File: path}, Message: "the policy can't be read: " + err.Error()}}
	}
	policy, err := capability.Parse(path, data)
	if err != nil {
		return nil, err
	}
	policy.Layer = layer
	return policy, nil
}

// files are the policies that stand in files: all that can require something,
// and all that are told of in records.
func (s *Session) files() []*capability.Policy {
	files := s.ceilings
	if s.project != nil {
		files = append([]*capability.Policy{s.project}, files...)
	}
	return files
}

// layers are the policies that a call of the provider's needs, all of them.
func (s *Session) layers(l *loaded, world *hostfuncs.World, tag string) ([]*capability.Policy, error) {
	project := s.project
	if s.learning != nil && s.learning.Allow {
		project = capability.Open("learning")
	}
	var layers []*capability.Policy
	// One that doesn't say what it needs is held by the project's policy alone,
	// and has nothing without one.
	if asked, granted := s.asks(l); !asked.Empty() {
		policy, err := world.AskedPolicy(hostfuncs.Asks{
			Provider: l.ID, Capabilities: granted, Config: s.config.Part(), Position: s.config.Position,
			Tag: tag, Env: s.opts.Env, Inherit: s.inherits(l, project),
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, policy)
	}
	switch {
	case project != nil:
		layers = append(layers, project)
	case len(layers) == 0:
		layers = append(layers, capability.Nothing())
	}
	return append(layers, s.ceilings...), nil
}

// inherits tells whether what a provider asks for says nothing of the user's
// environment: with a policy, that does; without one, a built-in provider's
// child gets all of it. What is learnt is learnt without.
func (s *Session) inherits(l *loaded, project *capability.Policy) bool {
	return s.learning == nil && (project != nil || l.Origin == module.BuiltIn)
}
