package embedded

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/system"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// stage is a stage that is being built.
type stage struct {
	builder *builder
	planned *dockerfile.Stage
	config  dockerspec.DockerOCIImage
	vars    *dockerfile.Vars
	layers  []imageLayer
	base    *base // the image that it begins with, if any
	files   *tree // nil until needed
	cmdSet  bool  // this stage has a CMD
}

// begin begins a stage with its FROM.
func (b *builder) begin(planned *dockerfile.Stage) (*stage, error) {
	s := &stage{builder: b, planned: planned}
	switch {
	case planned.From != nil:
		b.begins("FROM " + planned.From.Name)
		from := b.stages[planned.From]
		s.config, s.base, s.layers = cloneConfig(from.config), from.base, slices.Clone(from.layers)
		s.vars = from.vars.Above()
		return s, nil
	case planned.Image == "":
		b.begins("FROM scratch")
		s.config = b.emptyConfig()
	default:
		b.begins("FROM " + planned.Image)
		var err error
		if s.base, err = b.base(planned.Image, planned.Platform); err != nil {
			return nil, err
		}
		s.config = cloneConfig(s.base.config)
		for _, l := range s.base.layers {
			s.layers = append(s.layers, l)
		}
	}
	s.vars = dockerfile.NewVars()
	for _, pair := range s.config.Config.Env {
		name, value, _ := strings.Cut(pair, "=")
		s.vars.SetEnv(name, value)
	}
	if _, ok := s.vars.Get("PATH"); !ok {
		s.vars.SetEnv("PATH", system.DefaultPathEnvUnix)
		s.config.Config.Env = append(s.config.Config.Env, "PATH="+system.DefaultPathEnvUnix)
	}
	return s, nil
}

// cloneConfig copies a configuration that instructions will change.
func cloneConfig(from dockerspec.DockerOCIImage) dockerspec.DockerOCIImage {
	c := from
	c.Config.Env = slices.Clone(from.Config.Env)
	c.Config.ExposedPorts = maps.Clone(from.Config.ExposedPorts)
	c.Config.Volumes = maps.Clone(from.Config.Volumes)
	c.Config.Labels = maps.Clone(from.Config.Labels)
	c.History = slices.Clone(from.History)
	return c
}

// tree returns the files of the stage.
func (s *stage) tree() (*tree, error) {
	if s.files != nil {
		return s.files, nil
	}
	var below *tree
	var err error
	switch {
	case s.planned.From != nil:
		below, err = s.builder.stages[s.planned.From].tree()
	case s.base != nil:
		below, err = s.base.tree(s.builder)
	default:
		s.files = newTree(&s.builder.count)
		return s.files, nil
	}
	if err == nil {
		s.files, err = below.clone()
	}
	return s.files, err
}

// change returns the stage's tree for the changes of a new step.
func (s *stage) change() (*tree, error) {
	t, err := s.tree()
	if err == nil {
		t.op = s.builder.nextOp()
	}
	return t, err
}

// commit adds a step to the history, with a layer of the tree's changes. A nil tree has
// none.
func (s *stage) commit(step string, changed *tree) error {
	s.note(step, changed == nil)
	if changed == nil || !s.builder.wanted[s.planned] {
		return nil
	}
	made, err := s.builder.store.writeLayer(changed)
	if err == nil {
		s.layers = append(s.layers, made)
	}
	return err
}

// run applies an instruction.
func (s *stage) run(c dockerfile.Command) error {
	if arg, ok := c.Command.(*instructions.ArgCommand); ok {
		return s.arg(arg)
	}
	if known, ok := c.Command.(instructions.SupportsSingleWordExpansion); ok {
		if err := known.Expand(func(word string) (string, error) { return s.builder.expander.Word(word, s.vars) }); err != nil {
			return err
		}
	}
	if known, ok := c.Command.(instructions.SupportsSingleWordExpansionRaw); ok {
		if err := known.ExpandRaw(func(text string) (string, error) { return s.builder.expander.Raw(text, s.vars) }); err != nil {
			return err
		}
	}
	switch known := c.Command.(type) {
	case *instructions.CopyCommand:
		return s.copy(c, known)
	case *instructions.AddCommand:
		return s.add(known)
	case *instructions.WorkdirCommand:
		return s.workdir(known)
	}
	return s.setting(c.Command)
}

// workdir makes the directory for the current user, unless it exists.
func (s *stage) workdir(c *instructions.WorkdirCommand) error {
	dir, err := system.NormalizeWorkdir(s.config.Config.WorkingDir, c.Path, "linux")
	if err != nil {
		return err
	}
	s.config.Config.WorkingDir = dir
	step := "WORKDIR " + dir
	if dir == "/" {
		return s.commit(step, nil)
	}
	t, err := s.change()
	if err != nil {
		return err
	}
	directory := file{mode: 0o755, time: s.builder.time.Unix()}
	if user := s.config.Config.User; user != "" {
		o, err := t.owner(user)
		if err != nil {
			return err
		}
		directory.uid, directory.gid = o.uid, o.gid
	}
	resolved, _, err := t.resolve(dir, true)
	if err != nil {
		return err
	}
	if _, err := t.mkdirAll(resolved, directory); err != nil {
		return fmt.Errorf("WORKDIR: %w", err)
	}
	return s.commit(step, t)
}
