package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
)

// Record is one call through the gate: what was asked for, what the policies
// decided, and how it ended.
type Record = hostfuncs.Record

// Main is the first call in main of every program that uses this package. To
// start a command, a run starts the program itself a second time, as the guard
// that ends whatever the command leaves behind. In that process Main does not
// return; in every other it does nothing.
func Main() { hostfuncs.Guard() }

// Interrupt returns the cause with which to cancel the context of a run. Commands
// get the signal and have [Grace] to end; they are killed at once when kill is
// closed. kill may be nil.
func Interrupt(sig os.Signal, kill <-chan struct{}) error { return hostfuncs.Interrupt(sig, kill) }

// PassSignal sends a signal to each command that runs, unless the terminal has
// sent it already. It reports whether a command runs.
func PassSignal(sig os.Signal) bool { return hostfuncs.PassSignal(sig) }

// Interactive reports whether a command runs that handles Ctrl-C itself.
func Interactive() bool { return hostfuncs.Interactive() }

// newConfinement makes the confinement of the provider's commands. With learn
// --allow it leaves out the project's policy, as decisions do.
func (r *run) newConfinement() (*hostfuncs.Confinement, error) {
	s, id := r.session, r.module.ID
	policies := s.policies()
	if _, allow := r.mode.learns(); allow {
		policies = s.ceilings
	}
	return hostfuncs.NewConfinement(s.config.Root, s.opts.Environ, capability.PassedEnv(policies, id, s.opts.Environ),
		capability.Confine(policies, id), capability.LimitsOf(policies, id))
}

// connect makes the gate of a module that is loaded, and what its operations act on.
func (r *run) connect(gate *lateGate, l *loaded, builds hostfuncs.BuildOptions) (*hostfuncs.World, error) {
	s := r.session
	builds.Progress = s.opts.Reporter.Progress()
	world := &hostfuncs.World{
		Root: s.config.Root, Environ: s.opts.Environ, Grace: Grace, Own: s.own(),
		Stdout: s.opts.Stdout, Stderr: s.opts.Stderr, Colour: s.opts.Colour, Builds: builds,
		Log: r.log, Mask: s.opts.Mask, Warn: s.opts.Reporter.Warn,
		Provider: l.ID, InputsDir: s.opts.InputsDir,
		Confinement: r.confinement, Serves: r.operation == abi.ExportDev,
	}
	layers, err := r.layers(l, world)
	if err != nil {
		return nil, err
	}
	world.ChildEnv = r.confinement.Environ(capability.PassedEnv(layers, l.ID, s.opts.Environ))
	_, granted := s.asks(l)
	world.PassOn(granted)
	world.Daemons = capability.Daemons(layers, l.ID, granted.Daemons)
	r.warnDaemons(world.Daemons, granted.Daemons)
	// What is learnt is compared with rules that pin a program, of a policy that
	// may not be among the layers.
	learns, _ := r.mode.learns()
	world.Pins = func(x *capability.Exec) bool { return learns || capability.Pins(layers, l.ID, x) }
	operations, err := world.Operations()
	if err != nil {
		return nil, err
	}
	options := hostfuncs.GateOptions{Provider: l.ID, Policies: layers, Operations: operations, Auditor: r.recorder, Mask: s.opts.Mask}
	r.mode.gate(&options)
	gate.gate, err = hostfuncs.NewGate(options)
	return world, err
}

// layers are the policies that all have to allow a call of the provider's.
func (r *run) layers(l *loaded, world *hostfuncs.World) ([]*capability.Policy, error) {
	s := r.session
	asked, granted := s.asks(l)
	project := s.project
	learns, allow := r.mode.learns()
	if allow {
		project = capability.Open("learning", slices.Concat(granted.EnvPass, granted.EnvSecret)...)
	}
	if l.Origin != provider.BuiltIn && project == nil && len(s.ceilings) == 0 {
		granted.Daemons = nil // nothing outlives a run unless a policy names it
	}
	var layers []*capability.Policy
	// A provider that does not say what it needs is restricted by the project's
	// policy alone, and may do nothing without one.
	if !asked.Empty() {
		policy, err := world.AskedPolicy(hostfuncs.Asks{
			Provider: l.ID, Capabilities: granted, Config: s.part(l.guest), Position: s.config.Position,
			Tag: r.build.Tag, Env: s.opts.Env,
			// With a policy, the policy says what commands get of the user's
			// environment. Without one, those of a built-in provider get all of it,
			// but not while learning.
			Inherit: !learns && (project != nil || l.Origin == provider.BuiltIn),
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, policy)
	}
	switch {
	case project != nil:
		layers = append(layers, project)
	case len(layers) == 0:
		layers = append(layers, capability.Nothing())
	}
	return append(layers, s.ceilings...), nil
}

// own are the files that this run itself reads or writes, with the links in their
// directories resolved. They are not part of a build's context. A file whose
// directory does not exist is in no context.
func (s *Session) own() []string {
	var own []string
	// A home directory can be a project.
	files := append([]string{s.opts.Audit, s.opts.AuditHeads, s.opts.CacheDir, s.opts.InputsDir}, s.opts.Own...)
	for _, output := range s.builds.Outputs {
		files = append(files, output.Path)
	}
	for _, file := range files {
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

// lateGate passes a module's calls to its gate. The gate exists once the module
// has described itself; before that every call is an error.
type lateGate struct {
	// ctx is the run's. It ends at an interrupt, and so do the commands that run
	// for the provider; the provider itself has until the end of the grace period.
	ctx  context.Context
	gate *hostfuncs.Gate
}

// Call implements [sandbox.Host]. ctx is that of the module, which ends later.
func (g *lateGate) Call(ctx context.Context, operation string, request []byte) []byte {
	if g.gate == nil {
		return []byte(`{"error":{"code":"invalid","message":"nothing can be asked for before dev, build_docker or validate"}}`)
	}
	return g.gate.Call(hostfuncs.Lingering(g.ctx, ctx), operation, request)
}

// Grace is how long commands have to end after an interrupt.
const Grace = 10 * time.Second

// stopAfter is how long a provider has, once its commands have ended, to return
// from an interrupted call.
const stopAfter = 5 * time.Second

// hardContext outlives ctx by the time that an interrupted provider has.
func hardContext(ctx context.Context) (context.Context, context.CancelFunc) {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var timer *time.Timer
	ready := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		timer = time.AfterFunc(Grace+stopAfter, func() { cancel(context.Cause(ctx)) })
		close(ready)
	})
	return hard, func() {
		if !stop() {
			<-ready
			timer.Stop()
		}
		cancel(nil)
	}
}

// warnDaemons warns of commands that the provider asks to leave running after dev, and
// that the policies do not allow.
func (r *run) warnDaemons(allowed, asked [][]string) {
	for _, argv := range asked {
		if r.operation == abi.ExportDev && !slices.ContainsFunc(allowed, func(a []string) bool { return slices.Equal(a, argv) }) {
			words := strings.Join(yamldoc.Words(argv), " ")
			r.session.opts.Reporter.Warn(fmt.Errorf("%s asks to leave %s running after the run, which the policies do not allow: it ends with the command that starts it\n"+
				"to allow it, add to daemons in %s: [%s]", r.module.ID, words, PolicyFile, words))
		}
	}
}

// reportDaemons lists what the run left running by permission.
func (r *run) reportDaemons() {
	for _, p := range hostfuncs.Stayed() {
		r.session.opts.Reporter.Log(r.module.ID, abi.LevelInfo, fmt.Sprintf("left running: %s (process %d)", strings.Join(yamldoc.Words(p.Argv), " "), p.PID))
	}
}
