package dockerfile

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// need resolves a stage and the stages that it needs.
func (r *resolver) need(target *Stage) error {
	if err := r.checkSources(); err != nil {
		return err
	}
	needed := map[*Stage]bool{target: true}
	// Triggers come from the stage that a stage begins with, which is above it, so
	// they are resolved downwards. Sources are above too: upwards, it is known of each
	// stage whether it is needed.
	for _, s := range r.stages[:target.index+1] {
		if err := r.trigger(s); err != nil && s.err == nil {
			s.err = err
		}
	}
	for i := target.index; i >= 0; i-- {
		s := r.stages[i]
		if !needed[s] {
			continue
		}
		if s.err != nil {
			return s.err
		}
		if err := r.sources(s, needed); err != nil {
			return err
		}
	}
	for _, s := range r.stages[:target.index+1] {
		if !needed[s] {
			continue
		}
		if err := r.evaluate(s); err != nil {
			return err
		}
		r.plan.Stages = append(r.plan.Stages, s)
	}
	return nil
}

// trigger adds the ONBUILD instructions of the stage that s begins with.
func (r *resolver) trigger(s *Stage) error {
	if s.From == nil {
		return nil
	}
	var triggered []Command
	for _, c := range s.From.Commands {
		on, ok := c.Command.(*instructions.OnbuildCommand)
		if !ok {
			continue
		}
		command, err := parseTrigger(on.Expression, c.Line)
		if err != nil {
			return r.file.errorAt(c.Line, "ONBUILD: %v", err)
		}
		triggered = append(triggered, command)
	}
	if r.triggered += len(triggered); r.triggered > instructionLimit {
		return r.file.limit(s.Line, "ONBUILD adds more than %d instructions", instructionLimit)
	}
	s.Commands = append(triggered, s.Commands...)
	return nil
}

// parseTrigger parses the instruction of an ONBUILD.
func parseTrigger(text string, line int) (c Command, err error) {
	c.Line = line
	if c.Command, c.mounts, err = parseOne(text); err != nil {
		return c, err
	}
	c.again, _, err = parseOne(text)
	return c, err
}

// parseOne parses one instruction.
func parseOne(text string) (instructions.Command, []string, error) {
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	if len(result.AST.Children) != 1 {
		return nil, nil, errOneTrigger
	}
	node := result.AST.Children[0]
	parsed, err := instructions.ParseInstructionWithLinter(node, newLinter())
	if err != nil {
		return nil, nil, err
	}
	command, ok := parsed.(instructions.Command)
	if !ok {
		return nil, nil, fmt.Errorf("%s cannot be triggered", strings.ToUpper(node.Value))
	}
	return command, mountsOf(node), nil
}

// sources resolves the sources of a stage's instructions.
func (r *resolver) sources(s *Stage, needed map[*Stage]bool) error {
	if s.From != nil {
		needed[s.From] = true
	}
	for i := range s.Commands {
		c := &s.Commands[i]
		var err error
		if c.Sources, err = r.sourcesOf(s, *c); err != nil {
			return r.locate(err, c.Line)
		}
		for _, source := range c.Sources {
			if source.From != nil {
				needed[source.From] = true
			}
		}
	}
	return nil
}

// mounts returns the sources of a RUN's mounts. For BuildKit a mount without from is
// from scratch, which may be the name of a stage.
func (r *resolver) mounts(s *Stage, c *instructions.RunCommand) ([]Source, error) {
	var all []Source
	var later error
	for _, m := range instructions.GetMounts(c) {
		from := m.From
		if from == "" {
			from = scratch
		}
		source, err := r.source(s, from, false)
		if err != nil && !errors.Is(err, errLater) {
			return nil, err
		}
		if m.From != "" {
			later = cmp.Or(later, err)
		}
		if source != (Source{}) {
			all = append(all, source)
		}
	}
	return all, later
}

func (r *resolver) copySource(s *Stage, from string) (Source, error) {
	// BuildKit does not expand variables there, and refuses quotes.
	text, err := r.expander.Word(from, nil)
	if err != nil {
		return Source{}, err
	}
	if text != from {
		return Source{}, errFromVariable
	}
	return r.source(s, from, true)
}

// locate adds a line to an error without one.
func (r *resolver) locate(err error, line int) error {
	e := r.file.located(err, line)
	if e.Line == 0 {
		e.Line = line
	}
	return e
}

// checkSources checks the sources of all instructions, as BuildKit does, even of
// stages that are not needed. A source that comes later is an error only where it is
// needed.
func (r *resolver) checkSources() error {
	named := map[*Stage][]*Stage{}
	for _, s := range r.stages {
		for _, c := range s.Commands {
			sources, err := r.sourcesOf(s, c)
			if err != nil && !errors.Is(err, errLater) {
				return r.locate(err, c.Line)
			}
			for _, source := range sources {
				if source.From != nil {
					named[s] = append(named[s], source.From)
				}
			}
		}
	}
	return r.checkCircles(named)
}

// checkCircles refuses circular dependencies of stages.
func (r *resolver) checkCircles(named map[*Stage][]*Stage) error {
	done, way := map[*Stage]bool{}, map[*Stage]bool{}
	var circular func(s *Stage) bool
	circular = func(s *Stage) bool {
		if done[s] {
			return way[s]
		}
		done[s], way[s] = true, true
		for _, next := range named[s] {
			if circular(next) {
				return true
			}
		}
		way[s] = false
		return false
	}
	for _, s := range r.stages {
		if circular(s) {
			return r.file.errorAt(s.Line, "circular dependency detected on stage: %s", s.label())
		}
	}
	return nil
}

// label returns the name of a stage in messages.
func (s *Stage) label() string {
	if s.Name == "" {
		return strconv.Itoa(s.index)
	}
	return s.Name
}

// sourcesOf returns the sources of an instruction, without the context.
func (r *resolver) sourcesOf(s *Stage, c Command) ([]Source, error) {
	switch known := c.Command.(type) {
	case *instructions.CopyCommand:
		if known.From != "" {
			source, err := r.copySource(s, known.From)
			return []Source{source}, err
		}
	case *instructions.RunCommand:
		return r.mounts(s, known)
	}
	return nil, nil
}
