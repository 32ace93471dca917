package session

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/stagecraft-dev/stagecraft/internal/snapshot"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

// ChangedError says that files that restrict runs changed during a locked run.
type ChangedError struct{ Files []ChangedFile }

// ChangedFile is a file that restricts runs, and how it changed.
type ChangedFile struct {
	// Name is relative to the project if it is inside. A name with control
	// characters is quoted.
	Name string `json:"file"`
	// How is "created", "removed" or "changed".
	How string `json:"how"`
}

func (e *ChangedError) Error() string {
	var names []string
	for _, f := range e.Files[:min(len(e.Files), maxChanged)] {
		names = append(names, f.Name)
	}
	if more := len(e.Files) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return "files that restrict the next run changed during this run: " + strings.Join(names, ", ")
}

// Hint says what to do about it.
func (e *ChangedError) Hint() string { return "review the change; with --locked nothing may change" }

// maxChanged is the most files that a message names.
const maxChanged = 10

func (f ChangedFile) String() string {
	how := f.How
	if how != snapshot.Changed {
		how = "was " + how
	}
	return f.Name + " " + how + " during this run; review it before the next run"
}

// printable quotes a name that a terminal would not show on one line.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// restricting are the places that restrict a run: the configuration, the policies, the
// lock file and the project's providers. A configuration that is nearer to where the
// search begins would be used instead.
func restricting(opts Options, file, root string, own []string) snapshot.Places {
	providers := filepath.Join(root, filepath.FromSlash(projectProviders))
	places := snapshot.Places{
		Files: []string{file, filepath.Join(root, PolicyFile), filepath.Join(root, lock.FileName)},
		// The providers first, since they are used.
		Trees:  []string{providers, filepath.Dir(providers)},
		Except: own,
	}
	for _, c := range opts.Ceilings {
		places.Files = append(places.Files, c.name())
	}
	if dir, err := filepath.Abs(opts.Dir); err == nil && opts.ConfigFile == "" {
		for ; dir != filepath.Dir(file) && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			places.Files = append(places.Files, filepath.Join(dir, config.FileName))
		}
	}
	return places
}

// remember takes a snapshot of what restricts the run, before it is read. file is the
// configuration.
func (s *Session) remember(file string) {
	root, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		// Reading the configuration reports it.
		return
	}
	s.opened = snapshot.Take(restricting(s.opts, file, root, s.own()))
}

// compare warns of files that restrict the next run and changed during this one.
//
// # Errors
//
// A [*ChangedError] with Locked.
func (s *Session) compare() ([]ChangedFile, error) {
	var changed []ChangedFile
	for _, c := range snapshot.Compare(s.opened, s.opened.Again()) {
		changed = append(changed, ChangedFile{printable(s.shown(c.Path)), c.How})
	}
	for i, f := range changed {
		if i == maxChanged {
			s.opts.Reporter.Warn(fmt.Errorf("%d more files changed during this run; review them before the next run", len(changed)-i))
			break
		}
		s.opts.Reporter.Warn(errors.New(f.String()))
	}
	if len(changed) > 0 && s.opts.Locked {
		return changed, &ChangedError{changed}
	}
	return changed, nil
}

// shown is a path in messages: relative to the project if it is inside.
func (s *Session) shown(path string) string {
	for _, root := range []string{s.config.Root, filepath.Dir(s.config.File)} {
		if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return path
}
