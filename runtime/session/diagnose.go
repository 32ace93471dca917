package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/internal/diskspace"
	"github.com/stagecraft-dev/stagecraft/internal/privatedir"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/doctor"
)

// Diagnose gathers what package doctor judges, and changes nothing. The project is nil
// outside of projects. The caller fills in its version, when it was built, and its terminal.
//
// Engines and file systems that do not answer delay it by some seconds; Options.Reporter
// is told after the first.
func Diagnose(ctx context.Context, opts Options) (doctor.Machine, *doctor.Project) {
	d := diagnosis{opts: opts.withDefaults()}
	project := d.project()
	m := doctor.Machine{Now: time.Now(), Kernel: d.kernel()}
	var asked sync.WaitGroup
	asked.Go(func() {
		defer d.waits("the Docker engine")()
		m.Engine = engineFacts(build.SurveyDocker(ctx, d.session.getenv))
	})
	if which := d.session.builds.Engine; which.Kind == build.BuildKit {
		asked.Go(func() {
			defer d.waits("the BuildKit daemon at " + which.Address)()
			e := engineFacts(build.SurveyDaemon(ctx, which))
			m.Daemon = &e
		})
	}
	m.Places = d.places(project)
	if project != nil {
		project.Run = d.planned(ctx, project, m.Kernel.Memory == "")
	}
	asked.Wait()
	m.Engine.Needed = d.session.builds.Engine.Kind == build.Docker
	return m, project
}

// diagnosis is one call of [Diagnose].
type diagnosis struct {
	opts Options
	// session is that of the project, as far as its files can be read.
	session Session
	seen    *collector
}

// waits reports what is waited for, after a second. The caller calls done.
func (d *diagnosis) waits(what string) (done func()) {
	timer := time.AfterFunc(slowAfter, func() { d.opts.Reporter.Warn(errors.New("waiting for " + what)) })
	return func() { timer.Stop() }
}

func engineFacts(s build.Survey) doctor.Engine {
	e := doctor.Engine{
		Address: termtext.Line(s.Address, 200), From: s.From, Default: s.Default, Name: s.Name, BuildKit: s.BuildKit,
		Ahead: s.Ahead, HasClock: s.HasClock, Hint: s.Hint,
	}
	if s.Err != nil {
		e.Err = termtext.Line(s.Err.Error(), 500)
	}
	return e
}

func (d *diagnosis) kernel() doctor.Kernel {
	s := exec.Supports()
	k := doctor.Kernel{Landlock: s.Landlock, Reason: s.Reason, Seccomp: s.Seccomp, Missing: s.Missing}
	if err := d.opts.Helper.CheckMemory(); err != nil {
		k.Memory = err.Error()
	}
	return k
}

// placeLimit is how long a file system has to answer: one of the network may never.
const placeLimit = 5 * time.Second

// places looks at the directories that runs write to.
func (d *diagnosis) places(project *doctor.Project) []doctor.Place {
	wasm, replays := under(d.opts.CacheDir, "wasm"), under(d.opts.CacheDir, "replay")
	places := []doctor.Place{
		d.place(doctor.CheckCache, d.opts.CacheDir, wasm, replays),
		d.place(doctor.CheckState, d.opts.InputsDir, d.opts.InputsDir),
		d.place(doctor.CheckState, d.opts.AuditHeads, d.opts.AuditHeads),
		d.place(doctor.CheckTemp, os.TempDir()),
	}
	if project != nil {
		places = append(places, d.place(doctor.CheckProject, filepath.Dir(project.File)))
	}
	return places
}

// place looks at a directory, as long as its file system answers. The directories private
// are those of which nothing is used unless they are the user's alone.
func (d *diagnosis) place(check, dir string, private ...string) doctor.Place {
	p := doctor.Place{Check: check, Path: dir}
	if dir == "" {
		return p
	}
	looked := make(chan doctor.Place, 1)
	go func() { looked <- lookAt(p, private) }()
	defer d.waits("the file system of " + dir)()
	select {
	case p = <-looked:
	case <-time.After(placeLimit):
		p.Slow = true
	}
	return p
}

// lookAt looks at one directory, or at the nearest one above it if it does not exist.
func lookAt(p doctor.Place, private []string) doctor.Place {
	at := p.Path
	for {
		_, err := os.Stat(at)
		if err == nil || !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	p.Exists = at == p.Path
	for _, dir := range private {
		if err := privatedir.Check(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.Private = err.Error()
		}
	}
	if p.Exists && len(private) > 0 {
		p.Bytes = sizeOf(p.Path)
	}
	if err := diskspace.CheckWritable(at); err != nil {
		p.Writable = reasonOf(err)
	}
	free, err := diskspace.Free(at)
	p.Free, p.HasFree = free, err == nil
	return p
}

// reasonOf is an error of a path without the path.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Sprintf("cannot %s it: %v", e.Op, e.Err)
	}
	return err.Error()
}

// maxSized bounds the files whose sizes are added.
const maxSized = 100_000

// sizeOf is the size of the files below a directory, or of the first of them.
func sizeOf(dir string) (bytes int64) {
	files := 0
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if files++; files > maxSized {
			return fs.SkipAll
		}
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
