// Package dockerfile finds out before a build what its Dockerfile uses: images, remote
// files, and what RUN steps ask for. It depends only on the file's bytes and the
// build's options. It parses them with BuildKit's packages, so that its result is
// BuildKit's.
package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Limits of a Dockerfile. They bound time and memory: the file may be untrusted.
const (
	sizeLimit        = 1 << 20 // bytes
	instructionLimit = 10_000
	stageLimit       = 200 // each may copy another one
	// Each ${ may be nested, and each level copies its content.
	braceLimit = 1000
	// messageLimit is the most runes of a message, which may quote the file.
	messageLimit = 300
)

// File is a parsed Dockerfile.
type File struct {
	name string // for errors
	text []byte
}

// Error is an error of a Dockerfile.
type Error struct {
	Name    string
	Line    int // from 1; 0 if unknown
	Message string
	Err     error // the cause, if any
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Name + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Message)
}

// Parse parses a Dockerfile; name is its name in errors.
//
// # Errors
//
// An [*Error] with the line if BuildKit's parser refuses the file, or if it exceeds a
// bound.
func Parse(name string, text []byte) (*File, error) {
	f := &File{name: name, text: bytes.Clone(text)}
	if len(text) > sizeLimit {
		return nil, f.limit(0, "it is larger than 1 MiB")
	}
	if n := bytes.Count(text, []byte("${")); n > braceLimit {
		return nil, f.limit(0, "it has %d ${, more than %d", n, braceLimit)
	}
	if err := f.checkDirective(); err != nil {
		return nil, err
	}
	if _, err := f.parse(); err != nil {
		return nil, err
	}
	return f, nil
}

// parsed has a Dockerfile's instructions. They are parsed again for each use, because
// expanding variables changes them.
type parsed struct {
	stages []instructions.Stage
	args   []instructions.ArgCommand // those before the first FROM
	escape rune
	// heredoc is the line of the first here-document, 0 for none.
	heredoc int
	// spelled are the names of the stages as written.
	spelled []string
	// mounts are the --mount flags of each RUN as written.
	mounts map[instructions.Command][]string
}

// errParserPanic marks an input on which BuildKit's parser panics. None is known, and
// tests fail if they find one.
var errParserPanic = errors.New("the parser panics")

func (f *File) parse() (p parsed, err error) {
	defer func() {
		// The parser may panic on untrusted input.
		if r := recover(); r != nil {
			e := f.errorAt(0, "BuildKit's parser crashed on this file: %v", r)
			e.Err = errParserPanic
			err = e
		}
	}()
	result, err := parser.Parse(bytes.NewReader(f.text))
	if err != nil {
		return p, f.located(err, 0)
	}
	if n := len(result.AST.Children); n > instructionLimit {
		return p, f.limit(result.AST.Children[instructionLimit].StartLine, "it has %d instructions, more than %d", n, instructionLimit)
	}
	p.escape, p.heredoc = result.EscapeToken, firstHeredoc(result.AST.Children)
	p.spelled = spelledStages(result.AST.Children)
	if p.stages, p.args, err = instructions.Parse(result.AST, newLinter()); err != nil {
		return p, f.located(err, 0)
	}
	p.mounts = mountFlags(p.stages, result.AST.Children)
	if len(p.stages) == 0 {
		return p, f.errorAt(0, "it has no FROM")
	}
	if n := len(p.stages); n > stageLimit {
		return p, f.limit(firstLine(p.stages[stageLimit].Location), "it has %d stages, more than %d", n, stageLimit)
	}
	return p, nil
}

// newLinter returns a linter that comments such as "# check=skip=all" configure, as in
// BuildKit. Its reports are dropped.
func newLinter() *linter.Linter { return linter.New(&linter.Config{}) }

func (f *File) errorAt(line int, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{Name: f.name, Line: line, Message: termtext.Line(strings.TrimSpace(message), messageLimit)}
}

// errLimit marks an exceeded bound.
var errLimit = errors.New("out of bounds")

func (f *File) limit(line int, format string, args ...any) *Error {
	e := f.errorAt(line, format, args...)
	e.Err = errLimit
	return e
}

// located turns an error of BuildKit's packages into one with the file's name. line is
// used if the error has none.
func (f *File) located(err error, line int) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	message := err.Error()
	if l, ok := errors.AsType[*parser.LocationError](err); ok {
		if at := firstLine(l.Locations...); at > 0 {
			line = at
		}
		message = l.Unwrap().Error()
	}
	e := f.errorAt(line, "%s", message)
	e.Err = err
	return e
}

func firstLine(locations ...[]parser.Range) int {
	for _, ranges := range locations {
		if len(ranges) > 0 {
			return ranges[0].Start.Line
		}
	}
	return 0
}
