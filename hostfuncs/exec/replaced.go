package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fsnotify/fsnotify"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// singleFiles are the files of the project that rules name one by one. A rule of the
// kernel applies to the file that exists when a command starts. Editors, git and sed
// replace files, and the command may not use the new one until it is restarted.
type singleFiles struct {
	paths     []string // without links
	mu        sync.Mutex
	started   int            // number of commands
	warned    map[string]int // started, at the last warning about a file
	unwatched sync.Once
}

// findSingles finds the files, existing or not, that policies name one by one and that
// no rule for a directory allows as well.
func (c *Confinement) findSingles(policies []capability.Confinement) {
	named := make([][]string, len(policies))
	for i, p := range policies {
		if p.Files != nil {
			named[i] = c.singlesOf(append(slices.Clone(p.Files.Read), p.Files.Write...))
		}
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(named...)))) {
		if len(c.singles.paths) > maxSingles {
			return
		}
		all := true
		for i := range policies {
			all = all && (slices.Contains(named[i], path) || c.each[i].Allows(confine.Use{Kind: confine.UseRead, Path: path}))
		}
		if all && c.losesWith(path) {
			c.singles.paths = append(c.singles.paths, path)
		}
	}
}

// losesWith reports whether commands could not use a file without the rule for it.
func (c *Confinement) losesWith(path string) bool {
	without := *c.rules
	for _, list := range []*[]string{&without.Read, &without.Write, &without.Exec} {
		*list = slices.DeleteFunc(slices.Clone(*list), func(p string) bool { return p == path })
	}
	read, write := confine.Use{Kind: confine.UseRead, Path: path}, confine.Use{Kind: confine.UseWrite, Path: path}
	return !without.Allows(read) || c.rules.Allows(write) && !without.Allows(write)
}

// singlesOf returns the paths in the project that are files or do not exist.
func (c *Confinement) singlesOf(list []capability.Subtree) []string {
	var paths []string
	for _, s := range list {
		abs, inside := c.resolved(s)
		info, err := os.Lstat(abs)
		if !inside || err == nil && !info.Mode().IsRegular() || err != nil && s.Below {
			continue
		}
		paths = append(paths, abs)
	}
	return paths
}

// startedWith are the single files as they were when a command started.
type startedWith struct {
	c      *Confinement
	files  map[string]fs.FileInfo // nil for a missing file
	number int                    // of the command, from 1

	watcher *fsnotify.Watcher
	dirs    []string
	done    chan struct{}
}

// maxSingles is how many single files are watched, and maxWatchedDirs in how many
// directories, including those above them.
const (
	maxSingles     = 1000
	maxWatchedDirs = 200
	maxShownPath   = 200 // of a path in a message, in characters
)

// watchSingles watches the single files during the run of one command. The result has to
// be closed after it; it is nil if there is nothing to watch or to call.
func (c *Confinement) watchSingles() *startedWith {
	if c == nil || c.opts.Replaced == nil || len(c.singles.paths) == 0 || c.support.Landlock < confine.FilesABI {
		return nil
	}
	c.singles.mu.Lock()
	c.singles.started++
	w := &startedWith{c: c, files: make(map[string]fs.FileInfo), number: c.singles.started}
	c.singles.mu.Unlock()
	paths := c.singles.paths[:min(len(c.singles.paths), maxSingles)]
	// Watched first, so that no change is missed.
	w.watch(paths)
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil {
			info = nil
		}
		w.files[path] = info
	}
	if w.watcher != nil {
		w.done = make(chan struct{})
		go w.listen()
	}
	return w
}

// watch watches the directories of files, and those above, which can be replaced too.
func (w *startedWith) watch(paths []string) {
	var err error
	if w.watcher, err = fsnotify.NewWatcher(); err != nil {
		w.unwatched(err)
		return
	}
	for _, path := range paths {
		for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
			if !slices.Contains(w.dirs, dir) {
				w.dirs = append(w.dirs, dir)
			}
			if dir == w.c.opts.Project.Root() || dir == filepath.Dir(dir) {
				break
			}
		}
	}
	// Parents come first: a directory that is created in one then either exists when it
	// is added itself, or causes an event.
	slices.Sort(w.dirs)
	if len(w.dirs) > maxWatchedDirs || len(w.c.singles.paths) > maxSingles {
		err = errors.New("too many")
	}
	for _, dir := range w.dirs[:min(len(w.dirs), maxWatchedDirs)] {
		if aerr := w.watcher.Add(dir); aerr != nil && !errors.Is(aerr, fs.ErrNotExist) {
			err = aerr
		}
	}
	if err != nil {
		w.unwatched(err)
	}
}

// unwatched warns once that files may be replaced without a warning.
func (w *startedWith) unwatched(err error) {
	w.c.singles.unwatched.Do(func() {
		w.c.opts.Replaced(fmt.Errorf("not all files that rules name one by one can be watched (%w): restart after one is replaced", err))
	})
}

// listen handles events until the watcher is closed.
func (w *startedWith) listen() {
	defer close(w.done)
	for {
		select {
		case event, ok := <-w.watcher.Events:
			if !ok {
				return
			}
			if event.Has(fsnotify.Create) {
				w.created(filepath.Clean(event.Name))
			}
		case _, ok := <-w.watcher.Errors:
			if !ok {
				return
			}
			// The queue of events was full, and some were lost.
			w.created(w.c.opts.Project.Root())
		}
	}
}

// created checks what was created at a path: a file, or a directory with files.
func (w *startedWith) created(path string) {
	for _, dir := range w.dirs {
		if dir == path || below(path, dir) {
			// It may have been removed again.
			_ = w.watcher.Add(dir)
		}
	}
	for file := range w.files {
		if file == path || below(path, file) {
			w.report(file)
		}
	}
}

func below(dir, path string) bool { return strings.HasPrefix(path, dir+string(filepath.Separator)) }

// report warns about a file once, even if several commands were started with it.
func (w *startedWith) report(file string) {
	line := w.replaced(file)
	if line == "" {
		return
	}
	s := &w.c.singles
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.warned[file] >= w.number {
		return
	}
	if s.warned == nil {
		s.warned = make(map[string]int)
	}
	s.warned[file] = s.started
	w.c.opts.Replaced(errors.New(line))
}

// replaced returns a warning if another file is in place of the one that the command was
// started with, and otherwise nothing.
func (w *startedWith) replaced(file string) string {
	was, known := w.files[file]
	is, err := os.Lstat(file)
	if !known || err != nil || was != nil && os.SameFile(was, is) {
		return ""
	}
	how := "replaced"
	if was == nil {
		how = "created"
	}
	name := file
	if rel, inside := w.c.opts.Project.Rel(file); inside {
		name = rel
	}
	return termtext.Line(name, maxShownPath) + " was " + how + " since start; restart to use it"
}

// close ends watching, and waits for that.
func (w *startedWith) close() {
	if w == nil || w.watcher == nil {
		return
	}
	_ = w.watcher.Close()
	<-w.done
}
