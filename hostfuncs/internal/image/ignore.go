package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// ignoreName is the name of a context's ignore file.
const ignoreName = ".dockerignore"

// ignoreLimit is the most bytes of an ignore file.
const ignoreLimit = 1 << 20

// ignoreRules decides which paths of a context are left out. Paths are relative to the
// context, with slashes.
type ignoreRules struct {
	matcher    *patternmatcher.PatternMatcher
	exceptions []string // patterns after !
	always     []string // paths that are always sent
}

// ignoreFile is the ignore file in effect.
type ignoreFile struct {
	path string // for errors; empty when there is none
	text []byte
	own  bool // the Dockerfile's own, not the context's
}

// readIgnore reads the Dockerfile's own ignore file, or else the context's.
func readIgnore(root *os.Root, dockerfile string) (ignoreFile, error) {
	path := dockerfile + ignoreName
	f, err := openRegular(path)
	if err == nil {
		return loadIgnore(f, path, true)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return ignoreFile{}, err
	}
	// It may be a link in the context.
	inContext, err := openFile(root, ignoreName)
	if errors.Is(err, fs.ErrNotExist) {
		return ignoreFile{}, nil
	}
	path = filepath.Join(root.Name(), ignoreName)
	if err != nil {
		return ignoreFile{}, &ContextError{path: path, err: err}
	}
	return loadIgnore(inContext, path, false)
}

func loadIgnore(f *os.File, path string, own bool) (ignoreFile, error) {
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, ignoreLimit+1))
	if err != nil {
		return ignoreFile{}, &ContextError{path: path, err: err}
	}
	if len(text) > ignoreLimit {
		return ignoreFile{}, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return ignoreFile{path: path, text: text, own: own}, nil
}

// rules parses the file; an error names the line.
func (f ignoreFile) rules() (*ignoreRules, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(f.text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	matcher, err := compile(patterns)
	if err != nil {
		return nil, f.locate(err)
	}
	r := &ignoreRules{matcher: matcher}
	for _, p := range matcher.Patterns() {
		if p.Exclusion() {
			r.exceptions = append(r.exceptions, strings.ReplaceAll(p.String(), "\\", "/"))
		}
	}
	return r, nil
}

// but returns the rules with names that are always sent.
func (r *ignoreRules) but(always ...string) *ignoreRules {
	return &ignoreRules{matcher: r.matcher, exceptions: r.exceptions, always: always}
}

// compile returns a matcher of patterns and checks each: the matcher itself finds some
// mistakes only when a path reaches them.
func compile(patterns []string) (*patternmatcher.PatternMatcher, error) {
	for _, p := range patterns {
		one, err := patternmatcher.New([]string{strings.TrimPrefix(p, "!")})
		if err != nil {
			return nil, err
		}
		if _, err := one.MatchesOrParentMatches("a"); err != nil {
			return nil, err
		}
	}
	return patternmatcher.New(patterns)
}

// locate finds the line that err is about.
func (f ignoreFile) locate(err error) error {
	number := 0
	for line := range bytes.Lines(f.text) {
		number++
		patterns, lineErr := ignorefile.ReadAll(bytes.NewReader(line))
		if lineErr == nil {
			_, lineErr = compile(patterns)
		}
		if lineErr != nil {
			return fmt.Errorf("%s:%d: %w", f.path, number, lineErr)
		}
	}
	return fmt.Errorf("%s: %w", f.path, err)
}

// ignored reports whether a path is left out. parent is its result for the directory
// of the path.
func (r *ignoreRules) ignored(name string, parent patternmatcher.MatchInfo) (bool, patternmatcher.MatchInfo, error) {
	ignored, info, err := r.matcher.MatchesUsingParentResults(name, parent)
	return ignored && !slices.Contains(r.always, name), info, err
}

// mayKeep reports whether something below an ignored directory may be sent.
func (r *ignoreRules) mayKeep(dir string) bool {
	below := dir + "/"
	for _, name := range r.always {
		if strings.HasPrefix(name, below) {
			return true
		}
	}
	for _, exception := range r.exceptions {
		if strings.ContainsAny(exception, `*?[\`) || strings.HasPrefix(exception, below) {
			return true
		}
	}
	return false
}
