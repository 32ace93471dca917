package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
)

// PolicyFile is the name of the project's policy, beside stagecraft.yml.
const PolicyFile = "stagecraft.policy.yml"

// loadPolicies reads the project's policy, if it has one, and the ceilings.
func (s *Session) loadPolicies() (err error) {
	if s.project, err = readProjectPolicy(s.config.Root, s.opts.Reporter.Warn); err != nil {
		return err
	}
	s.ceilings, err = ReadCeilings(s.opts, s.config.Root)
	return err
}

// readProjectPolicy reads the policy of the project at root, nil if it has none.
func readProjectPolicy(root string, warn func(error)) (*capability.Policy, error) {
	path := filepath.Join(root, PolicyFile)
	if other := otherPolicy(path); other != "" {
		warn(fmt.Errorf("%s is ignored: the project's policy must be named %s", other, PolicyFile))
	}
	// A dangling link is an error: a policy was intended.
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := safefile.CheckPlanted(path); err != nil {
		return nil, unreadable(path, err)
	}
	return ReadPolicy(path, capability.Project)
}

// DirectoriesBeside returns a function that finds directories beside a policy, which is
// in the root of its project.
func DirectoriesBeside(file string) func(string) bool {
	return func(name string) bool {
		info, err := os.Stat(filepath.Join(filepath.Dir(file), filepath.FromSlash(name)))
		return err == nil && info.IsDir()
	}
}

// otherPolicy is a file beside a policy with the usual wrong name, or empty.
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
// yamldoc.Problems, also if the file cannot be read.
func ReadPolicy(path string, layer capability.Layer) (*capability.Policy, error) {
	data, err := config.ReadFile(path)
	return parsePolicy(path, data, err, layer)
}

// parsePolicy parses the result of reading a policy; name is the file's in messages.
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
	return yamldoc.Problems{{Pos: yamldoc.Pos{File: policy}, Message: "cannot read the policy: " + err.Error()}}
}

// policies are those from files: the project's and the ceilings.
func (s *Session) policies() []*capability.Policy {
	if s.project == nil {
		return s.ceilings
	}
	return append([]*capability.Policy{s.project}, s.ceilings...)
}

// ChangePolicy changes a policy file, one process at a time. change gets the current
// text, nil if there is no file, and returns the new one; its error leaves the file as
// it is. A wait for another process ends with ctx, and warn is called if it is long.
func ChangePolicy(ctx context.Context, warn func(error), file string, change func(before []byte) ([]byte, error)) error {
	dir := filepath.Dir(file)
	if resolved, err := filepath.EvalSymlinks(file); err == nil {
		dir = filepath.Dir(resolved)
	}
	release, err := lockDirectory(ctx, warn, dir)
	if err != nil {
		return err
	}
	defer release()
	var before []byte
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		if before, err = config.ReadFile(file); err != nil {
			return err
		}
	}
	after, err := change(before)
	if err != nil || before != nil && bytes.Equal(before, after) {
		return err
	}
	return atomicfile.Write(file, after)
}
