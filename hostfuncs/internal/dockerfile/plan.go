package dockerfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// Options are what a build adds to its Dockerfile.
type Options struct {
	Target string            // the stage to build; empty means the last one
	Args   map[string]string // values for ARGs
	// Platform is what the image is for and BuildPlatform what it is built on,
	// such as linux/amd64. An empty Platform is the same as BuildPlatform; an
	// empty BuildPlatform is not known, and an error where something depends on
	// it, see [NeedsPlatform].
	Platform, BuildPlatform string
}

// Plan is what a build goes through: the target's stage, and before it all that
// it needs.
type Plan struct {
	Stages []*Stage // in order of the file; the last one is the target
	// Syntax is the image that reads the Dockerfile in BuildKit's place, in full;
	// empty for BuildKit itself. With one, the rest is not reliable.
	Syntax string
	// Epoch is SOURCE_DATE_EPOCH, as an argument of the build or as an ARG before
	// the first FROM: a number of seconds, or empty.
	Epoch string
	// Misread is what builders other than current BuildKit read differently.
	Misread Misread

	syntaxLine int
	file       *File
	escape     rune
	globals    *Vars
	given      map[string]string
}

// Stage is a FROM and the instructions after it.
type Stage struct {
	Name string // lower case; empty where it has none
	// A stage begins with what Source says.
	Source
	Platform string // of the image; empty is the build's
	Line     int
	Commands []Command

	index   int
	spelled string // its name, in the case that it was written in
	vars    *Vars  // after its last instruction
	dir     string // the working directory then; empty is not known
	err     error  // why it cannot be built
}

// Source is where files come from: an earlier stage, an image by its full
// reference, or neither for an empty file system.
type Source struct {
	From  *Stage
	Image string
}

// Command is an instruction.
type Command struct {
	instructions.Command
	Line int
	// Sources is what a COPY with --from reads, or each --mount of a RUN, in
	// order, except empty file systems.
	Sources []Source
	// Remotes are what an ADD fetches.
	Remotes []string
	// Mounts are what a RUN mounts.
	Mounts []Mount
	// Takes are what a COPY or ADD takes of the context.
	Takes []Take

	// again is the same instruction once more: what is checked is expanded in it.
	again  instructions.Command
	mounts []string // its --mount flags, as they were written
}

// scratch is the name of an empty image.
const scratch = "scratch"

// Plan resolves what a build of the Dockerfile needs.
//
// # Errors
//
// An [*Error], with the line, for what cannot be built, and for what cannot be
// known before the build.
func (f *File) Plan(o Options) (*Plan, error) {
	parsed, err := f.parse()
	if err != nil {
		return nil, err
	}
	again, err := f.parse()
	if err != nil {
		return nil, err
	}
	p := &Plan{file: f, escape: parsed.escape, Misread: Misread{Heredoc: parsed.heredoc}, given: o.Args}
	r := &resolver{file: f, plan: p, parsed: parsed, again: again, expander: p.NewExpander(), names: map[string]*Stage{}, valued: map[string]bool{}}
	if p.Syntax, p.syntaxLine, err = f.syntax(o.Args); err != nil {
		return nil, err
	}
	if p.globals, err = r.globals(o); err != nil {
		return nil, err
	}
	if err := r.begin(); err != nil {
		return nil, err
	}
	target, err := r.target(o.Target)
	if err != nil {
		return nil, err
	}
	return p, r.need(target)
}

// Errorf makes an error about a line of the Dockerfile.
func (p *Plan) Errorf(line int, format string, args ...any) *Error {
	return p.file.errorAt(line, format, args...)
}

// Locate makes an error one about a line of the Dockerfile, if it is not one
// already.
func (p *Plan) Locate(err error, line int) *Error { return p.file.located(err, line) }

// resolver finds out what a target needs.
type resolver struct {
	file     *File
	plan     *Plan
	parsed   parsed
	again    parsed // the same once more, see Command.again
	expander *Expander
	stages   []*Stage
	names    map[string]*Stage
	valued   map[string]bool // the ARGs before the first FROM that have had a value
	// triggered counts the instructions that ONBUILD adds.
	triggered int
}

// begin resolves the FROM of every stage, in order, as a FROM sees the names of
// the stages before it alone. What is wrong in a stage that is not needed is an
// error too, as it is to BuildKit, but for what cannot be known.
func (r *resolver) begin() error {
	for i, parsed := range r.parsed.stages {
		s := &Stage{Name: parsed.Name, Line: firstLine(parsed.Location), index: i, spelled: r.parsed.spelled[i]}
		if err := r.from(s, parsed); err != nil {
			s.err = r.file.located(err, s.Line)
			if _, unknown := errors.AsType[*unknownError](err); !unknown {
				return s.err
			}
		}
		for j, c := range parsed.Commands {
			s.Commands = append(s.Commands, Command{
				Command: c, Line: firstLine(c.Location()),
				again: r.again.stages[i].Commands[j], mounts: r.parsed.mounts[c],
			})
		}
		r.stages = append(r.stages, s)
		if s.Name != "" {
			if r.names[s.Name] != nil {
				r.plan.Misread = r.plan.Misread.or(Misread{StageAgain: s.Line})
			}
			r.names[s.Name] = s
		}
	}
	return nil
}

func (r *resolver) from(s *Stage, parsed instructions.Stage) error {
	base, err := r.expander.Word(parsed.BaseName, r.plan.globals)
	if err != nil {
		return err
	}
	if base == "" {
		return r.file.errorAt(s.Line, "FROM %s comes to nothing: give its ARG a value", parsed.BaseName)
	}
	if parsed.Platform != "" {
		if s.Platform, err = r.platform(parsed.Platform); err != nil {
			return err
		}
	}
	// A stage's name is in lower case, and only found by that here: to BuildKit
	// FROM Base is an image, whatever stages there are.
	if stage, ok := r.names[base]; ok {
		r.named(stage, base, s.Line)
		s.From = stage
		return nil
	}
	s.Image, err = normalise(base)
	return err
}

func (r *resolver) platform(word string) (string, error) {
	text, err := r.expander.Word(word, r.plan.globals)
	if _, ok := err.(*unknownError); ok {
		// No reference depends on it.
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if text == "" {
		return "", fmt.Errorf("empty platform value from expression %s", word)
	}
	p, err := platforms.Parse(text)
	if err != nil {
		return "", fmt.Errorf("failed to parse platform %s: %w", word, err)
	}
	return platforms.FormatAll(platforms.Normalize(p)), nil
}

func (r *resolver) target(name string) (*Stage, error) {
	if name == "" {
		return r.stages[len(r.stages)-1], nil
	}
	if s, ok := r.names[strings.ToLower(name)]; ok {
		return s, nil
	}
	return nil, r.file.errorAt(0, "it has no stage %q", name)
}

// source finds what a --from names: a stage by name or, where that is allowed,
// by number, or else an image.
func (r *resolver) source(current *Stage, name string, numbers bool) (Source, error) {
	stage, ok := r.names[strings.ToLower(name)]
	if ok {
		r.named(stage, name, current.Line)
	}
	if i, err := strconv.Atoi(name); numbers && err == nil {
		if i < 0 || i >= len(r.stages) {
			err := r.file.errorAt(0, "--from=%s: there are %d stages, counted from 0", name, len(r.stages))
			err.Err = errNumber
			return Source{}, err
		}
		stage, ok = r.stages[i], true
	}
	if !ok {
		image, err := normalise(name)
		return Source{Image: image}, err
	}
	if stage.index >= current.index {
		err := r.file.errorAt(0, "--from=%s names a stage that comes later: move it before this one", name)
		err.Err = errLater
		return Source{From: stage}, err
	}
	return Source{From: stage}, nil
}

var (
	errLater = errors.New("the stage comes later")
	// errNumber is about a number that BuildKit may find something for: it counts
	// the images of COPY --from and RUN --mount on, after the stages.
	errNumber = errors.New("no stage has this number")
)

// normalise is an image's name in full, with its tag; empty for scratch.
func normalise(name string) (string, error) {
	if name == scratch {
		return "", nil
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", &nameError{name, err}
	}
	return reference.TagNameOnly(named).String(), nil
}

type nameError struct {
	name string
	err  error
}

func (e *nameError) Error() string { return "image " + strconv.Quote(e.name) + ": " + e.err.Error() }

func (e *nameError) Unwrap() error { return e.err }
