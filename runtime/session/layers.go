package session

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

// PolicyFile is the name of the project's policy, beside stagecraft.yml.
const PolicyFile = "stagecraft.policy.yml"

// loadPolicies reads the project's policy, if it has one, and the ceilings.
func (s *Session) loadPolicies() (err error) {
	path := filepath.Join(s.config.Root, PolicyFile)
	if other := otherPolicy(path); other != "" {
		s.opts.Reporter.Warn(fmt.Errorf("%s is not read, so nothing in it is enforced: a project's policy is called %s", other, PolicyFile))
	}
	// A link that leads nowhere is no lack of a policy: somebody wanted one.
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err := safefile.CheckPlanted(path); err != nil {
			return unreadable(path, err)
		}
		if s.project, err = ReadPolicy(path, capability.Project); err != nil {
			return err
		}
	}
	s.ceilings, err = ReadCeilings(s.opts, s.config.Root)
	return err
}

// otherPolicy is a file beside a policy that has the usual wrong name; empty where
// there is none.
func otherPolicy(path string) string {
	other := strings.TrimSuffix(path, ".yml") + ".yaml"
	info, err := os.Stat(other)
	if err != nil {
		return ""
	}
	if policy, err := os.Stat(path); err == nil && os.SameFile(policy, info) {
		return ""
	}
	return other
}

// ReadPolicy reads one policy file.
//
// # Errors
//
// yamldoc.Problems, also when the file can't be read.
func ReadPolicy(path string, layer capability.Layer) (*capability.Policy, error) {
	data, err := config.ReadFile(path)
	return parsePolicy(path, data, err, layer)
}

// parsePolicy takes what reading a policy gave; name is the file's in messages.
func parsePolicy(name string, data []byte, err error, layer capability.Layer) (*capability.Policy, error) {
	if err != nil {
		return nil, unreadable(name, err)
	}
	policy, err := capability.Parse(name, data)
	if err != nil {
		return nil, err
	}
	policy.Layer = layer
	return policy, nil
}

func unreadable(policy string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return yamldoc.Problems{{Pos: yamldoc.Pos{File: policy}, Message: "the policy can't be read: " + err.Error()}}
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
func (s *Session) layers(l *loaded, images *build.Images, project *files.Project, env *values.Environment, tag string) ([]*capability.Policy, error) {
	asked, granted := s.asks(l)
	own := s.project
	if s.learning != nil && s.learning.Allow {
		own = capability.Open("learning", slices.Concat(granted.EnvPass, granted.EnvSecret)...)
	}
	var layers []*capability.Policy
	// One that doesn't say what it needs is held by the project's policy alone,
	// and has nothing without one.
	if !asked.Empty() {
		policy, err := s.askedPolicy(l, granted, images, project, env, tag, s.inherits(l, own))
		if err != nil {
			return nil, err
		}
		layers = append(layers, policy)
	}
	switch {
	case own != nil:
		layers = append(layers, own)
	case len(layers) == 0:
		layers = append(layers, capability.Nothing())
	}
	return append(layers, s.ceilings...), nil
}

// askedPolicy is the layer of what a provider asks for: exactly what its requests
// resolve to in the user's configuration. inherit leaves it to the other layers
// what a command gets of the user's environment.
func (s *Session) askedPolicy(l *loaded, granted abi.Capabilities, images *build.Images, project *files.Project, env *values.Environment, tag string, inherit bool) (*capability.Policy, error) {
	a, err := asks.New(granted, s.part(l.guest), s.config.Position)
	if err != nil {
		return nil, err
	}
	rules := slices.Concat(exec.AskedRules(project, a), images.AskedRules(a, tag), env.AskedRules(a), files.AskedRules(a))
	for _, name := range slices.Sorted(maps.Keys(s.opts.Env)) {
		rules = append(rules, capability.AllowEnv(name, yamldoc.Pos{}))
	}
	if inherit {
		rules = append(rules, capability.InheritEnv())
	}
	policy, err := capability.New("the configuration", l.ID, rules...)
	if err != nil {
		return nil, err
	}
	policy.Layer = capability.Asked
	return policy, nil
}

// inherits tells whether what a provider asks for says nothing of the user's
// environment: with a policy, that does; without one, a built-in provider's
// child gets all of it. What is learnt is learnt without.
func (s *Session) inherits(l *loaded, project *capability.Policy) bool {
	return s.learning == nil && (project != nil || l.Origin == provider.BuiltIn)
}
