package session

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/doctor"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// project reads the files of the project, each even if another has problems. It returns
// nil outside of projects.
func (d *diagnosis) project() *doctor.Project {
	s := &d.session
	s.opts, s.lock, s.idle = d.opts, new(lock.File), true
	// Nothing is kept, nobody is asked, and warnings are findings.
	s.opts.NoReplay, s.opts.Locked, s.opts.CacheDir, s.opts.Audit = true, true, "", ""
	d.seen = &collector{Reporter: d.opts.Reporter}
	s.opts.Reporter = &serialReporter{Reporter: d.seen}
	at, err := findConfig(d.opts)
	if _, none := errors.AsType[*config.NotFoundError](err); none {
		return nil
	}
	p := &doctor.Project{File: at.File}
	if err == nil {
		err = at.Doubt()
		p.Run.Warnings = problemsIn(err)
		s.builds, err = d.opts.Builds.parse(d.opts.EngineCerts, s.getenv("TERM"))
	}
	if err == nil {
		err = s.configure(at.File)
	}
	if err == nil {
		err = s.chooseEngine()
	}
	p.Configuration = problemsIn(err)
	root, err := filepath.EvalSymlinks(filepath.Dir(at.File))
	if err != nil {
		return p
	}
	sources := d.sources(p, root)
	d.lock(p, root, sources)
	d.policy(p, root, sources)
	if s.ceilings, err = ReadCeilings(s.opts, root); err != nil {
		p.Ceilings = problemsIn(err)
	}
	for _, c := range s.ceilings {
		p.CeilingFiles = append(p.CeilingFiles, c.Name)
	}
	return p
}

// sources finds the installed providers.
func (d *diagnosis) sources(p *doctor.Project, root string) []provider.Source {
	sources, unusable, err := findProviders(d.opts, root)
	p.Unusable = problemsIn(err)
	for _, u := range unusable {
		p.Unusable = append(p.Unusable, problemsIn(u)...)
	}
	return sources
}

func (d *diagnosis) lock(p *doctor.Project, root string, sources []provider.Source) {
	_, err := os.Lstat(filepath.Join(root, lock.FileName))
	p.Lock.Exists = err == nil
	file, err := loadLock(root)
	if err != nil {
		p.Lock.Problems = problemsIn(err)
		return
	}
	d.session.lock = file
	for _, id := range file.IDs() {
		e := doctor.Entry{ID: id}
		if source := sourceOf(sources, id); source != nil {
			m, err := source.Read()
			trusted, _ := file.Get(id)
			e.Installed, e.Changed = err == nil, err == nil && m.Digest() != trusted.SHA256
		}
		p.Lock.Entries = append(p.Lock.Entries, e)
	}
}

func sourceOf(sources []provider.Source, id string) *provider.Source {
	i := slices.IndexFunc(sources, func(s provider.Source) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &sources[i]
}

func (d *diagnosis) policy(p *doctor.Project, root string, sources []provider.Source) {
	s := &d.session
	var err error
	if s.project, err = readProjectPolicy(root, s.opts.Reporter.Warn); err != nil {
		p.Policy.Problems = problemsIn(err)
		return
	}
	if s.project == nil {
		return
	}
	p.Policy.Exists = true
	for _, id := range s.project.Providers() {
		if id == "*" {
			continue
		}
		section := doctor.Section{ID: id}
		if source := sourceOf(sources, id); source != nil {
			section.Installed, section.BuiltIn = true, source.Origin == provider.BuiltIn
		}
		_, section.Locked = s.lock.Get(id)
		p.Policy.Providers = append(p.Policy.Providers, section)
	}
	for _, f := range explain.Check(s.project, DirectoriesBeside(s.project.Name)) {
		switch {
		case f.Accepted != nil:
		case f.Severity == explain.SeverityError:
			p.Policy.Errors++
		case f.Severity == explain.SeverityWarning:
			p.Policy.Warnings++
		}
	}
	if s.config != nil {
		policies := []*capability.Policy{s.project}
		p.Policy.Confines = len(capability.Confine(policies, s.config.Provider)) > 0
		p.Policy.Unlimited = os.Geteuid() == 0 && capability.LimitsOf(policies, s.config.Provider).Processes > 0
	}
}

// planned plans dev, or has the provider check its settings if there are none for dev.
// Its module runs from memory if it can, or not at all: otherwise a file is needed.
func (d *diagnosis) planned(ctx context.Context, p *doctor.Project, memory bool) doctor.Run {
	s, run := &d.session, p.Run
	if len(p.Configuration)+len(p.Lock.Problems)+len(p.Policy.Problems)+len(p.Ceilings) > 0 {
		return run
	}
	p.Provider = &doctor.Provider{ID: s.selected.ID, Origin: string(s.selected.Origin), BuiltIn: s.selected.Origin == provider.BuiltIn}
	if m, err := s.selected.Read(); err == nil {
		if trust := problemsIn(s.checkTrust(m)); len(trust) > 0 {
			p.Provider.Trust = &trust[0]
			return run
		}
	}
	if !memory {
		run.Warnings = append(run.Warnings, doctor.Problem{Message: "not checked: the provider runs from a copy in the cache, and nothing is written now", Hint: "see it with: stagecraft plan dev"})
		return run
	}
	plan, err := new(Plan), s.openScreen()
	switch {
	case err != nil:
	case s.config.Settings(CommandDev) == nil:
		err = s.Validate(ctx)
	default:
		plan, err = s.Plan(ctx, CommandDev, BuildOptions{})
	}
	if wrong, ok := errors.AsType[yamldoc.Problems](err); ok {
		p.Configuration = problemsIn(wrong)
	} else {
		run.Problems = problemsIn(err)
	}
	run.Programs, run.Warnings = d.seen.programs, append(run.Warnings, d.seen.warnings...)
	if err == nil {
		run.Command = plan.Command
		run.Denied, run.Failure = deniedSteps(plan), plan.Failure.text()
	}
	return run
}

func deniedSteps(p *Plan) []string {
	var denied []string
	for _, step := range p.Steps {
		if !step.Allowed {
			denied = append(denied, termtext.Line(step.Asked, 1000))
		}
	}
	return denied
}

// text is the message of a failure, empty for none.
func (f *PlannedFailed) text() string {
	if f == nil {
		return ""
	}
	return f.Message
}

// problemsIn are the problems of an error; none for nil.
func problemsIn(err error) []doctor.Problem {
	if err == nil {
		return nil
	}
	if several, ok := errors.AsType[yamldoc.Problems](err); ok {
		var out []doctor.Problem
		for _, p := range several {
			out = append(out, doctor.Problem{Message: termtext.Clean(p.Error()), Hint: termtext.Clean(p.Hint)})
		}
		return out
	}
	p := doctor.Problem{Message: termtext.Clean(err.Error())}
	if e, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		p.Hint = termtext.Clean(e.Hint())
	}
	return []doctor.Problem{p}
}

// collector is a reporter that keeps warnings and programs, and shows only what is waited
// for.
type collector struct {
	Reporter
	warnings []doctor.Problem
	programs []doctor.Program
}

// Log implements [Reporter].
func (*collector) Log(string, abi.Level, string) {}

// Warn implements [Reporter].
func (c *collector) Warn(err error) {
	if !errors.Is(err, sandbox.ErrNoCache) {
		c.warnings = append(c.warnings, problemsIn(err)...)
	}
}

// Call implements [Reporter].
func (c *collector) Call(rec *Record) {
	x := rec.Claim.Exec
	if x == nil || len(x.Argv) == 0 {
		return
	}
	c.programs = append(c.programs, doctor.Program{Name: termtext.Line(x.Argv[0], 200), Path: termtext.Line(x.Program, 1000)})
}

// Confined implements [Reporter].
func (*collector) Confined(string) {}

// Progress implements [Reporter].
func (*collector) Progress() io.Writer { return io.Discard }
