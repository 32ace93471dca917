package exec

import (
	"context"
	"slices"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	filewatch "github.com/stagecraft-dev/stagecraft/hostfuncs/internal/watch"
)

// defaultDebounce is how long nothing has to change if a provider does not say, and
// maxPatterns the most patterns of one list.
const (
	defaultDebounce = 200 * time.Millisecond
	maxPatterns     = 100
)

// fileWatch is a watch of files, in the place of a program. It is nil for a program.
type fileWatch struct {
	watch *filewatch.Watch // nil in a plan
}

// fileWatchPlan is a watch exactly as it will be started.
type fileWatchPlan struct {
	paths, ignore []capability.FilePattern
	debounce      time.Duration
	claim         []capability.FileUse
}

// WatchStep is a watch that would be started.
type WatchStep struct {
	Paths      []string `json:"paths"`
	Ignore     []string `json:"ignore,omitempty"`
	DebounceMS int64    `json:"debounce_ms"`
}

// Kind implements [hostfuncs.Detail].
func (*WatchStep) Kind() string { return "watch" }

func (r *Runner) watchOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.WatchRequest, fileWatchPlan, abi.WatchResult]{
		Name:    abi.OpWatch,
		Resolve: r.resolveWatch,
		Claim:   func(p fileWatchPlan) capability.Claim { return capability.Claim{Files: p.claim} },
		Do:      r.doWatch,
		Step: func(_ context.Context, p fileWatchPlan) (hostfuncs.Detail, error) {
			return &WatchStep{texts(p.paths), texts(p.ignore), p.debounce.Milliseconds()}, nil
		},
		Preview: func(fileWatchPlan) (abi.WatchResult, []string, error) {
			s := &started{planned: true, files: new(fileWatch)}
			err := r.started.add(s)
			return abi.WatchResult{ID: s.id}, []string{"which files change, taken to be none"}, err
		},
	}
}

func texts(patterns []capability.FilePattern) []string {
	var all []string
	for _, p := range patterns {
		all = append(all, p.String())
	}
	return all
}

func (r *Runner) resolveWatch(_ context.Context, q abi.WatchRequest) (p fileWatchPlan, err error) {
	p.debounce = time.Duration(q.DebounceMS) * time.Millisecond
	switch {
	case len(q.Paths) == 0:
		return p, hostfuncs.OfField("paths", abi.Errorf(abi.CodeInvalid, "watch: paths are required"))
	case q.DebounceMS < 0 || q.DebounceMS > abi.MaxDebounceMS:
		return p, abi.Errorf(abi.CodeInvalid, "watch: debounce_ms must be between 0 and %d", abi.MaxDebounceMS)
	case q.DebounceMS == 0:
		p.debounce = defaultDebounce
	}
	if p.paths, err = filePatterns("paths", q.Paths); err != nil {
		return p, err
	}
	if p.ignore, err = filePatterns("ignore", q.Ignore); err != nil {
		return p, err
	}
	for _, pattern := range p.paths {
		at, err := r.opts.Project.Locate(pattern.Base())
		if err != nil {
			return p, hostfuncs.OfField("paths", err)
		}
		use := capability.FileUse{Path: pattern.At(at.Rel).String(), Use: capability.Watch}
		if !slices.Contains(p.claim, use) {
			p.claim = append(p.claim, use)
		}
	}
	return p, nil
}

func filePatterns(field string, list []string) ([]capability.FilePattern, error) {
	if len(list) > maxPatterns {
		return nil, hostfuncs.OfField(field, abi.Errorf(abi.CodeTooLarge, "watch: %s has %d patterns, at most %d are taken", field, len(list), maxPatterns))
	}
	var all []capability.FilePattern
	for _, text := range list {
		p, err := capability.ParseFilePattern(text)
		if err != nil {
			return nil, hostfuncs.OfField(field, abi.Errorf(abi.CodeInvalid, "watch: %s: %v", field, err))
		}
		all = append(all, p)
	}
	return all, nil
}

func (r *Runner) doWatch(ctx context.Context, p fileWatchPlan) (abi.WatchResult, error) {
	if ctx.Err() != nil {
		return abi.WatchResult{}, context.Cause(ctx)
	}
	s := &started{files: new(fileWatch)}
	if err := r.started.add(s); err != nil {
		return abi.WatchResult{}, err
	}
	w, err := filewatch.Start(ctx, filewatch.Options{
		Project: r.opts.Project, Paths: p.paths, Ignore: p.ignore, Debounce: p.debounce,
		Keep:    func(path string) bool { return r.opts.Reads != nil && r.opts.Reads(path) },
		Changed: func() { r.started.update(func() {}) }, Warn: r.opts.Warn,
	})
	r.started.update(func() {
		if err == nil && r.started.over {
			err = errOver
		}
		if err != nil {
			r.started.remove(s)
			return
		}
		s.files.watch, w = w, nil
	})
	if w != nil {
		w.Close()
	}
	return abi.WatchResult{ID: s.id}, err
}

// admit returns an error if there are as many watches as there may be, or programs in
// the case of a program.
func (f *fileWatch) admit(list []*started) error {
	n := 0
	for _, s := range list {
		if (s.files == nil) == (f == nil) {
			n++
		}
	}
	switch {
	case f == nil && n >= abi.MaxProcesses:
		return abi.Errorf(abi.CodeTooLarge, "process_start: %d programs run already, the maximum", abi.MaxProcesses)
	case f != nil && n >= abi.MaxFileWatches:
		return abi.Errorf(abi.CodeTooLarge, "watch: there are %d watches already, the maximum", abi.MaxFileWatches)
	}
	return nil
}

// event returns what changed; ok is false if nothing did.
func (f *fileWatch) event(id int) (result abi.ProcessWaitResult, ok bool) {
	if f == nil || f.watch == nil {
		return result, false
	}
	change, ok := f.watch.Take()
	if ok {
		result.Changed = &abi.FilesChanged{ID: id, Paths: change.Paths, More: change.More}
	}
	return result, ok
}

// ready reports whether event would return a change.
func (f *fileWatch) ready() bool { return f != nil && f.watch != nil && f.watch.Ready() }

// close ends the watch. The caller must not have the lock of the programs, which the watch
// takes to report a change.
func (f *fileWatch) close() {
	if f != nil && f.watch != nil {
		f.watch.Close()
	}
}

// onlyPlanned is what happens if nothing else does in a plan: the run is asked to end.
// After that, no file changes. The caller has the lock.
func (ps *startedPrograms) onlyPlanned(of []*started) (result abi.ProcessWaitResult, err error, ok bool) {
	switch {
	case !slices.ContainsFunc(of, func(s *started) bool { return s.planned }):
		return result, nil, false
	case ps.interrupted:
		return result, abi.Errorf(abi.CodeInterrupted, "process_wait: in a plan, no file changes after the run is asked to end"), true
	}
	ps.interrupted = true
	return abi.ProcessWaitResult{Interrupted: true}, nil, true
}
