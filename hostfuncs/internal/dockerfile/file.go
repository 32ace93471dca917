// Package dockerfile finds out before a build what its Dockerfile uses: the images that it pulls, what it fetches, and what its RUN steps ask
// for. It is pure over the file's bytes and the build's options, and reads them
// with BuildKit's own packages, so that it finds what BuildKit will find.
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
	stageLimit       = 200 // each begins with all that another one has
	// Each ${ may be within another one, and each of them costs a copy of what is
	// in it.
	braceLimit = 1000
	// messageLimit is the most runes of a message: it may have text of the file.
	messageLimit = 300
)

// File is a Dockerfile that could be read.
type File struct {
	name string // for errors
	text []byte
}

// Error says what is wrong with a Dockerfile, and where.
type Error struct {
	Name    string
	Line    int // from 1; 0 where it is about no line
	Message string
	Err     error // what it came from, if anything
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Name + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Message)
}

// Parse reads a Dockerfile; name is what errors call it.
//
// # Errors
//
// An [*Error], with the line, for what BuildKit's parser refuses and for a file
// that is out of bounds.
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

// parsed is a Dockerfile's instructions. They are parsed anew for each use,
// since expanding variables writes into them.
type parsed struct {
	stages []instructions.Stage
	args   []instructions.ArgCommand // those before the first FROM
	escape rune
	// heredoc is the line of the first here-document, 0 for none.
	heredoc int
	// spelled are the names of the stages as they were written.
	spelled []string
	// mounts are the --mount flags of each RUN, as they were written.
	mounts map[instructions.Command][]string
}

// errParserPanic marks an input that BuildKit's parser has a panic on. No input
// is known: the tests fail for one that is found.
var errParserPanic = errors.New("the parser panics")

func (f *File) parse() (p parsed, err error) {
	defer func() {
		// Neither the parser nor its input is ours.
		if r := recover(); r != nil {
			e := f.errorAt(0, "BuildKit's parser has a fault, and cannot read this file: %v", r)
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

// newLinter is what instructions are parsed with, as BuildKit does it: comments
// such as "# check=skip=all" configure it; its reports are dropped.
func newLinter() *linter.Linter { return linter.New(&linter.Config{}) }

func (f *File) errorAt(line int, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{Name: f.name, Line: line, Message: termtext.Line(strings.TrimSpace(message), messageLimit)}
}

// errLimit marks what is out of bounds.
var errLimit = errors.New("out of bounds")

func (f *File) limit(line int, format string, args ...any) *Error {
	e := f.errorAt(line, format, args...)
	e.Err = errLimit
	return e
}

// located turns an error of BuildKit's packages into one with the file's name.
// line is where it is about a line that it does not know of.
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
