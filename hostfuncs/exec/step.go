package exec

import (
	"errors"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// Step is a program that would run.
type Step struct {
	Argv []string `json:"argv"`
	// Program is the absolute path of the file, empty if there is none.
	Program string `json:"program,omitempty"`
	// Dir is relative to the project directory.
	Dir string `json:"dir"`
	// Env are the variables that the provider sets, sorted by name.
	Env []values.Planned `json:"env,omitempty"`
	// Stdin is the input that the provider sets.
	Stdin     *values.Planned `json:"stdin,omitempty"`
	Capture   bool            `json:"capture,omitempty"`
	TimeoutMS int64           `json:"timeout_ms,omitempty"`
	// Once names an effect that the command has, and Unchanged says that it would not
	// run, because it succeeded with the same input before.
	Once      string `json:"once,omitempty"`
	Unchanged bool   `json:"unchanged,omitempty"`
	// Interactive says that the program handles Ctrl-C.
	Interactive bool `json:"interactive,omitempty"`
	// Name is the name of a started program in output, and Ready the condition under
	// which it is ready, in words.
	Name  string `json:"name,omitempty"`
	Ready string `json:"ready,omitempty"`
	// Daemons are commands that it may leave running.
	Daemons [][]string `json:"daemons,omitempty"`
}

// Kind implements [hostfuncs.Detail].
func (*Step) Kind() string { return "exec" }

// AsPlanned implements [hostfuncs.Adapter]. A planned command may be skipped if it has
// succeeded with the same input since. A command that was planned to be skipped may not
// run.
func (s *Step) AsPlanned(planned hostfuncs.Detail) (hostfuncs.Detail, error) {
	p, ok := planned.(*Step)
	if !ok {
		return s, nil
	}
	if p.Unchanged && !s.Unchanged {
		return nil, errors.New("is not to run, and its input has changed since")
	}
	adapted := *s
	adapted.Unchanged = p.Unchanged
	return &adapted, nil
}

func (p execPlan) step() *Step {
	s := &Step{
		Argv: p.exec.Argv, Program: p.program.path, Dir: p.dir.Rel, Env: p.env.planned(),
		Capture: p.capture > 0, Interactive: p.interactive, TimeoutMS: p.timeout.Milliseconds(),
		Daemons: p.exec.Daemons,
	}
	if p.stdin != nil {
		stdin := values.Plan("", p.stdin.Value)
		s.Stdin = &stdin
	}
	return s
}
