package embedded

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// settingLimit is the most variables, labels and volumes of an image, each: every stage
// that begins with another one copies them.
const settingLimit = 1000

func checkCount(n int, what string) error {
	if n > settingLimit {
		return fmt.Errorf("the image has %d %s, more than %d", n, what, settingLimit)
	}
	return nil
}

// note adds a step to the image's history.
func (s *stage) note(step string, empty bool) {
	s.config.History = append(s.config.History, ocispec.History{
		CreatedBy: step, Comment: "stagecraft.embedded.v0", EmptyLayer: empty, Created: &s.builder.time,
	})
}

// setting applies an instruction that changes no files.
func (s *stage) setting(c instructions.Command) error {
	config := &s.config.Config
	switch c := c.(type) {
	case *instructions.EnvCommand:
		s.env(c)
		return checkCount(len(config.Env), "variables")
	case *instructions.LabelCommand:
		s.label(c)
		return checkCount(len(config.Labels), "labels")
	case *instructions.MaintainerCommand:
		s.config.Author = c.Maintainer
		s.note("MAINTAINER "+c.Maintainer, true)
	case *instructions.CmdCommand:
		config.Cmd = s.command(c.ShellDependantCmdLine)
		config.ArgsEscaped = true //nolint:staticcheck // BuildKit sets it.
		s.cmdSet = true
		s.note(fmt.Sprintf("CMD %q", config.Cmd), true)
	case *instructions.EntrypointCommand:
		config.Entrypoint = s.command(c.ShellDependantCmdLine)
		// A CMD of the base image belongs to its entrypoint.
		if !s.cmdSet {
			config.Cmd = nil
		}
		s.note(fmt.Sprintf("ENTRYPOINT %q", config.Entrypoint), true)
	case *instructions.ShellCommand:
		config.Shell = c.Shell
		s.note(fmt.Sprintf("SHELL %v", c.Shell), true)
	case *instructions.HealthCheckCommand:
		health := dockerspec.HealthcheckConfig(*c.Health)
		config.Healthcheck = &health
		s.note(fmt.Sprintf("HEALTHCHECK %+v", health), true)
	case *instructions.UserCommand:
		config.User = c.User
		s.note("USER "+c.User, true)
	case *instructions.ExposeCommand:
		return s.expose(c)
	case *instructions.VolumeCommand:
		return s.volume(c)
	case *instructions.StopSignalCommand:
		if !dockerfile.IsSignal(c.Signal) {
			return fmt.Errorf("STOPSIGNAL %s: not a signal of Linux", c.Signal)
		}
		config.StopSignal = c.Signal
		s.note("STOPSIGNAL "+c.Signal, true)
	default:
		return fmt.Errorf("%s needs an engine: %s", strings.ToUpper(c.Name()), wayOut)
	}
	return nil
}

func (s *stage) arg(c *instructions.ArgCommand) error {
	var words []string
	for _, arg := range c.Args {
		text, ok, err := s.builder.plan.ArgValue(s.builder.expander, arg, s.vars)
		if err != nil {
			return err
		}
		word := arg.Key
		if ok {
			s.vars.Set(arg.Key, text)
			word += "=" + text
		}
		words = append(words, word)
	}
	s.note("ARG "+strings.Join(words, " "), true)
	return nil
}

func (s *stage) env(c *instructions.EnvCommand) {
	step := "ENV"
	at := map[string]int{}
	for i, pair := range s.config.Config.Env {
		name, _, _ := strings.Cut(pair, "=")
		if _, ok := at[name]; !ok {
			at[name] = i
		}
	}
	for _, pair := range c.Env {
		s.vars.SetEnv(pair.Key, pair.Value)
		step += " " + pair.String()
		if i, ok := at[pair.Key]; ok {
			s.config.Config.Env[i] = pair.String()
			continue
		}
		at[pair.Key] = len(s.config.Config.Env)
		s.config.Config.Env = append(s.config.Config.Env, pair.String())
	}
	s.note(step, true)
}

func (s *stage) label(c *instructions.LabelCommand) {
	step := "LABEL"
	for _, pair := range c.Labels {
		s.setLabel(pair.Key, pair.Value)
		step += " " + pair.String()
	}
	s.note(step, true)
}

func (s *stage) setLabel(name, value string) {
	if s.config.Config.Labels == nil {
		s.config.Config.Labels = map[string]string{}
	}
	s.config.Config.Labels[name] = value
}

// command returns what CMD or ENTRYPOINT runs, with its shell.
func (s *stage) command(line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	shell := s.config.Config.Shell
	if len(shell) == 0 {
		shell = []string{"/bin/sh", "-c"}
	}
	return append(slices.Clone(shell), strings.Join(line.CmdLine, " "))
}

func (s *stage) volume(c *instructions.VolumeCommand) error {
	if s.config.Config.Volumes == nil {
		s.config.Config.Volumes = map[string]struct{}{}
	}
	for _, name := range c.Volumes {
		if name == "" {
			return errors.New("VOLUME must not be empty")
		}
		s.config.Config.Volumes[name] = struct{}{}
	}
	s.note(fmt.Sprintf("VOLUME %v", c.Volumes), true)
	return checkCount(len(s.config.Config.Volumes), "volumes")
}

// portsLimit is the most ports of an image.
const portsLimit = 20_000

func (s *stage) expose(c *instructions.ExposeCommand) error {
	var ports []string
	for _, word := range c.Ports {
		words, err := s.builder.expander.Words(word, s.vars)
		if err != nil {
			return err
		}
		for _, w := range words {
			some, err := dockerfile.Ports(w)
			if err != nil {
				return fmt.Errorf("EXPOSE %s: %w", w, err)
			}
			if ports = append(ports, some...); len(ports) > portsLimit {
				return fmt.Errorf("the image has more than %d ports", portsLimit)
			}
		}
	}
	if s.config.Config.ExposedPorts == nil {
		s.config.Config.ExposedPorts = map[string]struct{}{}
	}
	for _, port := range ports {
		s.config.Config.ExposedPorts[port] = struct{}{}
	}
	if n := len(s.config.Config.ExposedPorts); n > portsLimit {
		return fmt.Errorf("the image has %d ports, more than %d", n, portsLimit)
	}
	s.note(fmt.Sprintf("EXPOSE %v", ports), true)
	return nil
}
