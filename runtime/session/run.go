package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// ProviderError says which provider failed, and in which call.
type ProviderError struct {
	Provider  string
	Operation string
	Err       error
	// Confined are the policies that confined the provider's commands.
	Confined []string
}

func (e *ProviderError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Provider, e.Operation, e.Err)
}

// Unwrap returns the cause.
func (e *ProviderError) Unwrap() error { return e.Err }

// call is one call of a provider's export.
type call struct {
	operation string
	build     BuildOptions  // with the tag that is used; empty for other calls
	builds    build.Options // the user's settings for docker_build
	make      func(context.Context, *loaded, division) error
}

// run is the execution of one call. It is complete when constructed.
type run struct {
	call
	session     *Session
	mode        mode
	id          string // also in the audit log
	begun       time.Time
	module      provider.Module
	confinement *exec.Confinement
	guards      *exec.Guards
	helper      *sandbox.Ahead // nil if the module need not be loaded
	beside      sync.WaitGroup // the start of a guard, and the end of the module
	audit       *auditLog
	recorder    *recorder
	reported    bool // the backend is ready, with a URL
}

// finished is a run that has ended.
type finished struct {
	*run
	ended   time.Time
	changed []ChangedFile
}

// run makes one call of the selected provider and records it.
func (s *Session) run(ctx context.Context, m mode, c call) (finished, error) {
	r, err := s.begin(ctx, m, c)
	if err != nil {
		return finished{}, err
	}
	defer r.close()
	err = r.mode.end(r, r.callModule(ctx))
	r.reportDaemons()
	s.warnNotShown()
	r.warnNotOpened()
	var changed []ChangedFile
	if r.mode.preview() == nil {
		var cerr error
		changed, cerr = s.compare()
		err = errors.Join(err, cerr)
	}
	err = errors.Join(err, r.audit.end(ctx, s.opts.Outcome, err, changed))
	return finished{r, time.Now(), changed}, err
}

// begin makes what the call needs before the module is loaded.
func (s *Session) begin(ctx context.Context, m mode, c call) (*run, error) {
	r := &run{call: c, session: s, mode: m, id: rand.Text(), begun: time.Now(), guards: exec.NewGuards(s.opts.GuardProgram)}
	// The first command waits for its guard longest.
	if m.preview() == nil && c.operation == abi.ExportDev {
		r.beside.Go(r.guards.Ahead)
	}
	if err := r.prepare(ctx); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// prepare reads the module and begins to start its process, if the run will load it.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.module, err = r.session.selected.Read(); err != nil {
		return r.failed(err)
	}
	if r.confinement, err = r.newConfinement(); err != nil {
		return err
	}
	if r.loads() {
		r.helper = sandbox.Start(processOptions(r.module.Digest(), r.session.opts))
	}
	if r.audit, err = r.startAudit(ctx); err != nil {
		return err
	}
	r.recorder = &recorder{reporter: r.session.opts.Reporter, audit: r.audit, mode: r.mode}
	return nil
}

// close ends idle guards and removes temporary files. A failure does not fail a run
// that worked.
func (r *run) close() {
	r.helper.Close()
	r.beside.Go(r.guards.Close)
	r.beside.Wait()
	if err := r.confinement.Close(); err != nil {
		r.session.opts.Reporter.Warn(err)
	}
}

// failed adds the provider and the operation to an error.
func (r *run) failed(err error) *ProviderError {
	return &ProviderError{Provider: r.session.selected.ID, Operation: r.operation, Err: err}
}

// callModule loads the module, connects it to a gate and makes the call.
func (r *run) callModule(ctx context.Context) error {
	s, gate := r.session, &lateGate{ctx: ctx}
	l, err := r.load(ctx, gate)
	if err != nil {
		return err
	}
	defer r.beside.Go(l.close)
	d, err := r.divide(l)
	if err != nil {
		return err
	}
	if r.confinement.Confined() {
		s.opts.Reporter.Confined(r.confinement.String())
	}
	runner, err := r.connect(gate, l, d.host)
	if err != nil {
		return r.failed(err)
	}
	// This also ends processes of a provider that was stopped.
	defer runner.Close()
	s.warnUnexpanded(l.guest.Describe())
	r.warnWithheld(runner.Withheld())
	hard, patience, stop := patient(ctx)
	defer stop()
	gate.patience = patience
	err = r.make(hard, l, d)
	if !l.calls.Loaded() {
		s.opts.Reporter.Log(r.module.ID, abi.LevelDebug, "the same as in an earlier run: its module was not loaded")
	}
	return r.outcome(err, d)
}

// outcome is the error of a call that returned err.
func (r *run) outcome(err error, d division) error {
	if err != nil {
		failed := r.failed(r.session.located(r.optionError(err)))
		failed.Confined = r.confinement.FailedUnder()
		err = failed
	}
	if rec := r.recorder; len(rec.denials) > 0 && r.mode.preview() == nil {
		return &DeniedError{Denials: rec.denials, Count: rec.denied, Err: err}
	}
	if err == nil {
		err = r.checkCarriedOut(d)
	}
	return err
}

// load loads the module after every check that needs only its bytes. Whether the module
// can run here is checked before trust, since trusting one that cannot is useless; a
// trusted module is checked when it is loaded.
func (r *run) load(ctx context.Context, gate *lateGate) (*loaded, error) {
	s, m := r.session, r.module
	var found Inspection
	if s.checkTrust(m) != nil {
		var err error
		if found, err = examine(m); err != nil {
			return nil, r.failed(err)
		}
	}
	ask, err := s.admit(m, r.confinement.Missing())
	if err := errors.Join(r.mode.admit(r), err); err != nil {
		return nil, err
	}
	if ask {
		if err := s.mayLoad(found); err != nil {
			return nil, err
		}
	}
	l, err := load(ctx, m, gate, s.opts, r.replayFile(), r.helper)
	if err != nil {
		return nil, r.failed(err)
	}
	if ask {
		err = s.confirm(ctx, l)
	} else {
		err = s.checkEntry(l)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// log shows a message of the provider. In a plan, messages after a withheld effect may
// be false, so only warnings are shown.
func (r *run) log(level abi.Level, message string) {
	if p := r.mode.preview(); p != nil && len(p.Steps) > 0 && level == abi.LevelInfo {
		level = abi.LevelDebug
	}
	r.session.opts.Reporter.Log(r.module.ID, level, message)
}

// warnWithheld warns of variables that the provider asks for and the policies do not
// pass to commands, since a program that fails without them does not say so.
func (r *run) warnWithheld(names []string) {
	if len(names) > 0 && r.operation != abi.ExportValidate {
		list := strings.Join(names, ", ")
		r.session.opts.Reporter.Warn(fmt.Errorf("%s asks for %s, which the policies do not pass to commands\nto pass them, add to env.pass in %s: [%s]",
			r.module.ID, list, PolicyFile, list))
	}
}

// located gives the problems in a provider's error their positions in the file.
func (s *Session) located(err error) error {
	e, ok := errors.AsType[*abi.Error](err)
	if !ok || len(e.Problems) == 0 {
		return err
	}
	return s.problems(e.Problems).Err()
}

// problems gives a provider's problems their positions in the file.
func (s *Session) problems(found []abi.Problem) yamldoc.Problems {
	var problems yamldoc.Problems
	for _, p := range found {
		field := "backend.providers." + s.config.Provider
		if name := abi.FieldName(p.Pointer); name != "" {
			field += "." + name
		}
		where := s.config.Position(p.Pointer)
		if p.Key {
			where = s.config.KeyPosition(p.Pointer)
		}
		problems.Add(where, field, p.Message, p.Hint)
	}
	return problems
}
