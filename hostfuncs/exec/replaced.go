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

// The kernel's rule for a single file is for the file that is there when a command
// starts. An editor, git and sed put another one in its place, which the command
// may not use until it is started again.

// singleFiles are the files of the project that rules name one by one.
type singleFiles struct {
	paths []string // without links
	warn  func(error)

	mu        sync.Mutex
	started   int            // commands
	told      map[string]int // how many were when the user was last told of a file
	unwatched sync.Once
}

// findSingles finds the files that policies name one by one, there or not, and that
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

// losesWith tells whether commands lose a file with the rule for it.
func (c *Confinement) losesWith(path string) bool {
	without := *c.rules
	for _, list := range []*[]string{&without.Read, &without.Write, &without.Exec} {
		*list = slices.DeleteFunc(slices.Clone(*list), func(p string) bool { return p == path })
	}
	read, write := confine.Use{Kind: confine.UseRead, Path: path}, confine.Use{Kind: confine.UseWrite, Path: path}
	return !without.Allows(read) || c.rules.Allows(write) && !without.Allows(write)
}

// singlesOf are the files among some places in the project, and those that could
// come to be.
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

// count counts one more command.
func (s *singleFiles) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started++
	return s.started
}

// startedWith is what stood at the paths of single files when a command started;
// nil where nothing did.
type startedWith struct {
	c     *Confinement
	files map[string]fs.FileInfo
	// number counts the commands, and told are the files that the user was told of;
	// both have the lock of singleFiles.
	number int
	told   map[string]bool

	watcher *fsnotify.Watcher
	dirs    []string
	done    chan struct{}
}

// maxSingles is how many single files are looked after, and maxWatchedDirs in how
// many directories, those above them included.
const (
	maxSingles     = 1000
	maxWatchedDirs = 200
	maxShownPath   = 200 // of a path in a message, in characters
)

// lookAfter begins to look after the single files, for the run of one command. The
// result has to be closed when it has ended, and is nil where there are none, or
// nobody to tell.
func (c *Confinement) lookAfter() *startedWith {
	if c == nil || c.singles.warn == nil || len(c.singles.paths) == 0 || c.support.Landlock < confine.FilesABI {
		return nil
	}
	w := &startedWith{c: c, files: make(map[string]fs.FileInfo), number: c.singles.count(), told: make(map[string]bool)}
	paths := c.singles.paths[:min(len(c.singles.paths), maxSingles)]
	// Watched before they are looked at, so that no change falls between.
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

// watch watches the directories of files, and those above them, since one of them
// can be replaced as well.
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
			if dir == w.c.project.Root() || dir == filepath.Dir(dir) {
				break
			}
		}
	}
	// One above comes first: what is made in it is then either there, when it is
	// watched itself, or an event.
	slices.Sort(w.dirs)
	if len(w.dirs) > maxWatchedDirs || len(w.c.singles.paths) > maxSingles {
		err = errors.New("there are too many")
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

// unwatched says once that files may be replaced without a word.
func (w *startedWith) unwatched(err error) {
	s := &w.c.singles
	s.unwatched.Do(func() {
		s.warn(fmt.Errorf("not all files that rules name one by one can be watched (%w): restart after one is replaced", err))
	})
}

// listen looks at a file when something comes to be in its place, until the watcher
// is closed.
func (w *startedWith) listen() {
	defer close(w.done)
	for {
		select {
		case event, ok := <-w.watcher.Events:
			if !ok {
				return
			}
			if event.Has(fsnotify.Create) {
				w.came(filepath.Clean(event.Name))
			}
		case _, ok := <-w.watcher.Errors:
			if !ok {
				return
			}
			// Events were lost: there is a bound to how many can wait.
			w.came(w.c.project.Root())
		}
	}
}

// came looks at what came to be at a path: a file, or a directory of some.
func (w *startedWith) came(path string) {
	for _, dir := range w.dirs {
		if dir == path || below(path, dir) {
			// It may be gone again.
			_ = w.watcher.Add(dir)
		}
	}
	for file := range w.files {
		if file == path || below(path, file) {
			w.tell(file)
		}
	}
}

func below(dir, path string) bool { return strings.HasPrefix(path, dir+string(filepath.Separator)) }

// tell tells of a file once, though several commands were started with it.
func (w *startedWith) tell(file string) {
	line := w.replaced(file)
	if line == "" {
		return
	}
	s := &w.c.singles
	s.mu.Lock()
	defer s.mu.Unlock()
	news := !w.told[file] && s.told[file] < w.number
	w.told[file] = true
	if !news {
		return
	}
	if s.told == nil {
		s.told = make(map[string]int)
	}
	s.told[file] = s.started
	s.warn(errors.New(line))
}

// replaced says that another file is in the place of the one that the command was
// started with, empty where that isn't so. It isn't where there is none.
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
	if rel, inside := w.c.project.Rel(file); inside {
		name = rel
	}
	return termtext.Line(name, maxShownPath) + " was " + how + " since start; restart to use it"
}

// close ends the watching, and waits for that.
func (w *startedWith) close() {
	if w == nil || w.watcher == nil {
		return
	}
	// Nothing is left to be done for one that can't be closed.
	_ = w.watcher.Close()
	<-w.done
}
