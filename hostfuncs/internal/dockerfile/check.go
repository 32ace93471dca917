package dockerfile

import (
	"errors"
	"strconv"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// checkSources checks what the instructions of all stages name, needed or not,
// as BuildKit does. That a stage comes later is an error where it is needed.
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

// checkCircles refuses stages that need themselves.
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

// label is the name of a stage in messages.
func (s *Stage) label() string {
	if s.Name == "" {
		return strconv.Itoa(s.index)
	}
	return s.Name
}

// sourcesOf are where an instruction reads from, but for the context.
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
