package dockerfile

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// need resolves a stage after all that it needs itself. What a stage names
// comes before it, so this ends.
func (r *resolver) need(target *Stage) error {
	needed := map[*Stage]bool{target: true}
	// A stage's triggers are those of the stage that it begins with, which comes
	// before it. Backwards, each stage is looked at once it is known whether it
	// is needed.
	for _, s := range r.stages[:target.index+1] {
		if err := r.trigger(s); err != nil {
			return err
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

// trigger puts the ONBUILD instructions of the stage that s begins with before
// its own.
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
		command, err := parseTrigger(on.Expression)
		if err != nil {
			return r.file.errorAt(c.Line, "ONBUILD: %v", err)
		}
		triggered = append(triggered, Command{Command: command, Line: c.Line})
	}
	if r.triggered += len(triggered); r.triggered > instructionLimit {
		return r.file.errorAt(s.Line, "ONBUILD adds more than %d instructions", instructionLimit)
	}
	s.Commands = append(triggered, s.Commands...)
	return nil
}

func parseTrigger(text string) (instructions.Command, error) {
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	if len(result.AST.Children) != 1 {
		return nil, errOneTrigger
	}
	return instructions.ParseCommand(result.AST.Children[0])
}

// sources resolves what a stage's instructions read from.
func (r *resolver) sources(s *Stage, needed map[*Stage]bool) error {
	if s.From != nil {
		needed[s.From] = true
	}
	for i := range s.Commands {
		c := &s.Commands[i]
		var err error
		switch known := c.Command.(type) {
		case *instructions.CopyCommand:
			if known.From != "" {
				err = r.copySource(s, c, known.From)
			}
		case *instructions.RunCommand:
			c.Sources, err = r.mounts(s, known)
		}
		if err != nil {
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

// mounts are where what a RUN mounts is from. To BuildKit a mount without from is
// one from scratch, which a stage may be called.
func (r *resolver) mounts(s *Stage, c *instructions.RunCommand) ([]Source, error) {
	var all []Source
	for _, m := range instructions.GetMounts(c) {
		from := m.From
		if from == "" {
			from = scratch
		}
		source, err := r.source(s, from, false)
		if err != nil {
			return nil, err
		}
		if source != (Source{}) {
			all = append(all, source)
		}
	}
	return all, nil
}

func (r *resolver) copySource(s *Stage, c *Command, from string) error {
	// BuildKit has no variables there, and refuses a word that would be another
	// one without its quotes.
	text, err := r.expander.Word(from, nil)
	if err != nil {
		return err
	}
	if text != from {
		return errFromVariable
	}
	source, err := r.source(s, from, true)
	c.Sources = []Source{source}
	return err
}

// locate gives an error its line, if it has none.
func (r *resolver) locate(err error, line int) error {
	e := r.file.located(err, line)
	if e.Line == 0 {
		e.Line = line
	}
	return e
}
