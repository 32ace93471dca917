package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/log"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// Record is one call through the gate: what was asked for, what the policies
// decided, and how it ended.
type Record = hostfuncs.Record

// Main is the first call in main of every program that uses this package. A run
// starts the program itself again: as the guard of a command, which ends whatever
// the command leaves behind, and as the process in which the provider's module
// runs. In these processes Main does not return; in every other it does nothing.
func Main() {
	exec.Guard()
	sandbox.Main()
}

// Interrupt returns the cause with which to cancel the context of a run. Commands
// get the signal and have [Grace] to end; they are killed at once when kill is
// closed. kill may be nil.
func Interrupt(sig os.Signal, kill <-chan struct{}) error { return exec.Interrupt(sig, kill) }

// PassSignal sends a signal to each running command, unless the terminal has sent it
// already. It reports whether a command runs.
func PassSignal(sig os.Signal) bool { return exec.PassSignal(sig) }

// Interactive reports whether a command runs that handles Ctrl-C itself.
func Interactive() bool { return exec.Interactive() }

// newConfinement constructs the confinement of the provider's commands. With learn
// --allow, the project's policy does not confine, as it does not decide.
func (r *run) newConfinement() (*exec.Confinement, error) {
	s, id := r.session, r.module.ID
	policies := s.policies()
	learns, allow := r.mode.learns()
	if allow {
		policies = s.ceilings
	}
	options := exec.ConfinementOptions{
		Project: files.NewProject(s.config.Root), Environ: s.opts.Environ, Passed: capability.PassedEnv(policies, id, s.opts.Environ),
		Policies: capability.Confine(policies, id), Limits: capability.LimitsOf(policies, id), Watch: learns, Idle: s.idle,
	}
	if r.operation == abi.ExportDev {
		options.Replaced = s.opts.Reporter.Warn
	}
	return exec.NewConfinement(options)
}

// connect constructs the gate of a loaded module and the runner of its commands, which
// the caller closes.
func (r *run) connect(gate *lateGate, l *loaded, builds build.Options) (*exec.Runner, error) {
	s := r.session
	builds.Progress = s.opts.Reporter.Progress()
	project := files.NewProject(s.config.Root)
	env := values.New(values.Options{Project: project, Environ: s.opts.Environ, Mask: s.opts.Mask, Log: r.log, Warn: s.opts.Reporter.Warn})
	images := build.New(build.Config{
		Project: project, Env: env, Options: builds, Own: s.own(), Guards: r.guards, Mask: s.opts.Mask, Log: r.log, Warn: s.opts.Reporter.Warn,
	})
	layers, err := r.layers(l, project, env, images)
	if err != nil {
		return nil, err
	}
	_, granted := s.asks(l)
	daemons := capability.Daemons(layers, l.ID, granted.Daemons)
	r.warnDaemons(daemons, granted.Daemons)
	learns, _ := r.mode.learns()
	runner := exec.NewRunner(exec.Options{
		Project: project, Env: env, Provider: l.ID, InputsDir: s.opts.InputsDir, Confinement: r.confinement, Guards: r.guards,
		ChildEnv: r.confinement.Environ(capability.PassedEnv(layers, l.ID, s.opts.Environ)), Asked: granted, Daemons: daemons,
		// A learnt policy is compared with rules that pin programs, even if their policy
		// is not enforced in this run.
		Pins:     func(x *capability.Exec) bool { return learns || capability.Pins(layers, l.ID, x) },
		Reads:    func(path string) bool { return capability.Reads(layers, l.ID, path) },
		Keyboard: r.keyboard(), Tell: func(level abi.Level, message string) { s.opts.Reporter.Log(l.ID, level, message) }, Ready: r.ready, Opens: r.opens(), Ends: gate.extend,
		Stdout: s.opts.Stdout, Stderr: s.opts.Stderr, Screen: s.screen, Mask: s.opts.Mask, Warn: s.opts.Reporter.Warn,
		Serves: r.operation == abi.ExportDev, Grace: Grace,
	})
	options := hostfuncs.GateOptions{
		Provider: l.ID, Policies: layers, Auditor: r.recorder, Mask: s.opts.Mask,
		Operations: slices.Concat(runner.Operations(), images.Operations(), project.Operations(), env.Operations(), []hostfuncs.Operation{log.Operation(r.log)}),
	}
	r.mode.gate(&options)
	gate.gate, err = hostfuncs.NewGate(options)
	return runner, err
}

// layers are the policies that have to allow each call of the provider.
func (r *run) layers(l *loaded, project *files.Project, env *values.Environment, images *build.Images) ([]*capability.Policy, error) {
	s := r.session
	asked, granted := s.asks(l)
	own := s.project
	learns, allow := r.mode.learns()
	if allow {
		own = capability.Open("learning", slices.Concat(granted.EnvPass, granted.EnvSecret)...)
	}
	if l.Origin != provider.BuiltIn && own == nil && len(s.ceilings) == 0 {
		granted.Daemons = nil // only what a policy names may outlive the run
	}
	var layers []*capability.Policy
	// Without asks, only the project's policy restricts a provider, and without a
	// policy it may do nothing.
	if !asked.Empty() {
		a, err := asks.New(asks.Expand(granted, s.config.Expand), s.part(l.guest), s.config.Position)
		if err != nil {
			return nil, err
		}
		rules := slices.Concat(exec.AskedRules(project, env, a), images.AskedRules(a, r.build.Tag), env.AskedRules(a), files.AskedRules(a))
		for _, name := range slices.Sorted(maps.Keys(s.opts.Env)) {
			rules = append(rules, capability.AllowEnv(name, yamldoc.Pos{}))
		}
		// A policy passes variables to commands. Without one, commands of a built-in
		// provider get the user's whole environment, except while learning.
		if !learns && (own != nil || l.Origin == provider.BuiltIn) {
			rules = append(rules, capability.InheritEnv())
		}
		policy, err := capability.New("the configuration", l.ID, rules...)
		if err != nil {
			return nil, err
		}
		policy.Layer = capability.Asked
		layers = append(layers, policy)
	}
	switch {
	case own != nil:
		layers = append(layers, own)
	case len(layers) == 0:
		layers = append(layers, capability.Nothing())
	}
	return append(layers, s.ceilings...), nil
}

// own are the files that this run itself reads or writes, in directories without links.
// They are not part of a build's context.
func (s *Session) own() []string {
	var own []string
	// The project may be the home directory, which contains most of them.
	named := append([]string{s.opts.Audit, s.opts.Output.LogFile, s.opts.AuditHeads, s.opts.CacheDir, s.opts.InputsDir}, s.opts.Own...)
	for _, output := range s.builds.Outputs {
		named = append(named, output.Path)
	}
	for _, file := range named {
		abs, err := filepath.Abs(file)
		if file == "" || err != nil {
			continue
		}
		if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
			own = append(own, filepath.Join(dir, filepath.Base(abs)))
		}
	}
	return own
}

// lateGate passes a module's calls to its gate. The gate depends on the module's
// description, so it is set after the module is loaded; calls before that are errors.
type lateGate struct {
	// ctx is the run's. It ends with an interrupt, as do the provider's commands; the
	// provider itself has until the end of the grace period.
	ctx  context.Context
	gate *hostfuncs.Gate
	// patience is nil unless the provider can be interrupted.
	patience *patience
}

// extend gives an interrupted provider more time, because it ends a program.
func (g *lateGate) extend() {
	if g.patience != nil {
		g.patience.extend()
	}
}

// Call implements [sandbox.Host]. ctx is that of the module, which ends later.
func (g *lateGate) Call(ctx context.Context, operation string, request []byte) []byte {
	if g.gate == nil {
		return []byte(`{"error":{"code":"invalid","message":"operations are available in dev, build_docker, validate and detect only"}}`)
	}
	if g.patience != nil {
		g.patience.called(1)
		defer g.patience.called(-1)
	}
	return g.gate.Call(exec.Lingering(g.ctx, ctx), operation, request)
}

// warnDaemons warns of commands that the provider asks to leave running after dev and
// the policies do not allow.
func (r *run) warnDaemons(allowed, asked [][]string) {
	for _, argv := range asked {
		if r.operation != abi.ExportDev || slices.ContainsFunc(allowed, func(a []string) bool { return slices.Equal(a, argv) }) {
			continue
		}
		said := fmt.Sprintf("%s asks to leave %s running after the run, which the policies do not allow: it ends with the command that starts it",
			r.module.ID, strings.Join(yamldoc.Words(argv), " "))
		// If the project's policy has the rule, a ceiling forbids it.
		named := len(capability.Daemons([]*capability.Policy{r.session.project}, r.module.ID, [][]string{argv})) > 0
		if grant, ok := capability.DaemonGrant(argv); ok && !named {
			said += "\nto allow it, add to " + PolicyFile + ":\n" + explain.Snippet(r.module.ID, []capability.Grant{grant})
		}
		r.session.opts.Reporter.Warn(errors.New(said))
	}
}

// reportDaemons lists the processes that were allowed to stay and did.
func (r *run) reportDaemons() {
	for _, p := range exec.Stayed() {
		r.session.opts.Reporter.Log(r.module.ID, abi.LevelInfo, fmt.Sprintf("left running: %s (process %d)", strings.Join(yamldoc.Words(p.Argv), " "), p.PID))
	}
}
