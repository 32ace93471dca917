package hostfuncs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Missing is what a configuration names and the project lacks.
type Missing struct {
	// Problems are of directories that commands run in: the same that a run would have.
	Problems []abi.Problem
	// Builds are of contexts and Dockerfiles, which a step before a build may make.
	Builds []abi.Problem
}

// FindMissing looks for what a provider says that it uses: the directories that its
// commands run in, contexts and Dockerfiles. Defaults are not looked for.
func FindMissing(root string, asks abi.Capabilities, config json.RawMessage) (m Missing, err error) {
	var tree any
	if err := json.Unmarshal(config, &tree); err != nil {
		return m, fmt.Errorf("configuration: %w", err)
	}
	w := &World{Root: root}
	find := func(list *[]abi.Problem, pointer string, check func(named string, at place) error) {
		named := textAt(tree, pointer)
		if named == "" {
			return
		}
		at, err := w.locate(named)
		if err == nil {
			err = check(named, at)
		}
		if err != nil {
			*list = append(*list, problemOf(pointer, err))
		}
	}
	var dirs []string
	for _, ask := range asks.Exec {
		dirs = append(dirs, ask.DirFrom)
		find(&m.Problems, ask.DirFrom, w.checkDir)
	}
	for _, ask := range asks.Build {
		context := slices.IndexFunc(ask.ContextFrom, func(pointer string) bool { return textAt(tree, pointer) != "" })
		if context >= 0 && !slices.Contains(dirs, ask.ContextFrom[context]) {
			find(&m.Builds, ask.ContextFrom[context], checkThere)
		}
		find(&m.Builds, ask.DockerfileFrom, checkThere)
	}
	return m, nil
}

func (w *World) checkDir(named string, at place) error {
	dir, err := w.openDir(named, at)
	if err != nil {
		return err
	}
	return dir.Close()
}

func checkThere(_ string, at place) error { return at.missing }

func problemOf(pointer string, err error) abi.Problem {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		return abi.Problem{Pointer: pointer, Message: e.Message, Hint: e.Hint}
	}
	return abi.Problem{Pointer: pointer, Message: err.Error()}
}
