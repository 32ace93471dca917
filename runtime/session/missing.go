package session

import (
	"errors"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

// missing are the paths that a configuration names and the project does not have.
type missing struct {
	// problems are of directories that commands run in, and of all paths that lead out
	// of the project: a run would have the same.
	problems []abi.Problem
	// builds are of contexts and Dockerfiles, which a step before a build may make.
	builds []abi.Problem
}

// findMissing looks for what a provider says that it uses: the directories that its
// commands run in, contexts and Dockerfiles. It does not look for defaults.
func (s *Session) findMissing(g *backend.Guest) (m missing, err error) {
	a, err := asks.New(g.Describe().Capabilities, s.part(g), s.config.Position)
	if err != nil {
		return m, err
	}
	project := files.NewProject(s.config.Root)
	find := func(list *[]abi.Problem, pointer string, check func(named string, at files.Place) error) {
		named := a.Text(pointer)
		if named == "" {
			return
		}
		at, err := project.Locate(named)
		if err != nil {
			m.problems = append(m.problems, problemOf(pointer, err))
		} else if err := check(named, at); err != nil {
			*list = append(*list, problemOf(pointer, err))
		}
	}
	checkDir := func(named string, at files.Place) error { return exec.CheckDir(project, named, at) }
	exists := func(_ string, at files.Place) error { return at.Missing }
	var dirs []string
	for _, ask := range a.Exec {
		dirs = append(dirs, ask.DirFrom)
		find(&m.problems, ask.DirFrom, checkDir)
	}
	for _, ask := range a.Build {
		context := slices.IndexFunc(ask.ContextFrom, func(pointer string) bool { return a.Text(pointer) != "" })
		if context >= 0 && !slices.Contains(dirs, ask.ContextFrom[context]) {
			find(&m.builds, ask.ContextFrom[context], exists)
		}
		find(&m.builds, ask.DockerfileFrom, exists)
	}
	return m, nil
}

func problemOf(pointer string, err error) abi.Problem {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		return abi.Problem{Pointer: pointer, Message: e.Message, Hint: e.Hint}
	}
	return abi.Problem{Pointer: pointer, Message: err.Error()}
}
