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

// Options are the options of a build.
type Options struct {
	Target string            // the stage to build; empty means the last one
	Args   map[string]string // values for ARGs
	// Platform is the image's platform and BuildPlatform the builder's, such as
	// linux/amd64. An empty Platform is BuildPlatform. An empty BuildPlatform is
	// unknown, and an error if something depends on it, see [NeedsPlatform].
	Platform, BuildPlatform string
}

// Plan has the stages of a build: the target and those that it needs.
type Plan struct {
	Stages []*Stage // in order of the file; the last one is the target
	// Syntax is the frontend image, see [Uses].
	Syntax string
	// Epoch is SOURCE_DATE_EPOCH in seconds, from an argument of the build or an ARG
	// before the first FROM; it may be empty.
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
	Name string // lower case; may be empty
	// Source is what the stage begins with.
	Source
	Platform string // of the image; empty for the build's
	Line     int
	Commands []Command

	index   int
	spelled string // its name as written
	vars    *Vars  // after its last instruction
	dir     string // the working directory after it; empty if unknown
	err     error  // why it cannot be built
}

// Source is a source of files: an earlier stage, an image by its full reference, or
// neither for an empty file system.
type Source struct {
	From  *Stage
	Image string
}

// Command is an instruction.
type Command struct {
	instructions.Command
	Line int
	// Sources are those of COPY --from, or of each --mount of a RUN, in order, without
	// empty file systems.
	Sources []Source
	// Remotes are the remote sources of an ADD.
	Remotes []string
	// Mounts are the mounts of a RUN.
	Mounts []Mount
	// Takes are the sources of a COPY or ADD in the context.
	Takes []Take

	// again is a copy of the instruction in which words are expanded for checks.
	again  instructions.Command
	mounts []string // its --mount flags as written
}

// scratch is the name of an empty image.
const scratch = "scratch"

// Plan resolves a build of the Dockerfile.
//
// # Errors
//
// An [*Error] with the line if the Dockerfile cannot be built, or needs something that
// is unknown before the build.
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

// Errorf returns an error with a line of the Dockerfile.
func (p *Plan) Errorf(line int, format string, args ...any) *Error {
	return p.file.errorAt(line, format, args...)
}

// Locate adds a line of the Dockerfile to an error without one.
func (p *Plan) Locate(err error, line int) *Error { return p.file.located(err, line) }

// resolver resolves a target.
type resolver struct {
	file     *File
	plan     *Plan
	parsed   parsed
	again    parsed // a copy, see Command.again
	expander *Expander
	stages   []*Stage
	names    map[string]*Stage
	valued   map[string]bool // ARGs before the first FROM that had a value
	// triggered counts the instructions that ONBUILD adds.
	triggered int
}

// begin resolves the FROM of every stage in order, since a FROM sees only the stages
// before it. As in BuildKit, errors of stages that are not needed count too, except
// unknown variables.
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
		return r.file.errorAt(s.Line, "FROM %s expands to nothing: give its ARG a value", parsed.BaseName)
	}
	if parsed.Platform != "" {
		if s.Platform, err = r.platform(parsed.Platform); err != nil {
			return err
		}
	}
	// Stage names are lower case and case-sensitive here: for BuildKit, FROM Base is
	// always an image.
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
		// The reference does not depend on it.
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

// source finds the source that a --from names: a stage by name or, with numbers, by
// number, else an image.
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
	// errNumber marks a number for which BuildKit may find an image: it continues to
	// count with those of COPY --from and RUN --mount.
	errNumber = errors.New("no stage has this number")
)

// normalise returns an image's full name with its tag, "" for scratch.
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
