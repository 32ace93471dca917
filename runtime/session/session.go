// Package session is one run of stagecraft: it finds the configuration and the
// provider, puts the gate between the provider and the world, calls it, and
// reports what came of it.
package session

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/snapshot"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// projectProviders is the directory of a project's own providers.
const projectProviders = ".stagecraft/providers"

// Grace is how long what a provider started has to end after an interrupt.
const Grace = 10 * time.Second

// Options say where a session looks and what it may use.
type Options struct {
	// Dir is where the search for stagecraft.yml begins, and goes upward.
	Dir string
	// ConfigFile is the configuration itself; Dir is not looked at then.
	ConfigFile string
	// BuiltIns has the modules that come with stagecraft.
	BuiltIns fs.FS
	// UserProviders is the user's directory of providers, CacheDir where compiled
	// ones are kept, and what they did; either may be empty.
	UserProviders, CacheDir string
	// Ceilings are policy files from outside the project, which can only take
	// away, and InProject is for those that are not from outside.
	Ceilings  []Ceiling
	InProject InProject
	// Locked keeps the lock file as it is, and asks nothing.
	Locked bool
	// MayLoad asks the user whether to load a module that nobody has trusted, so
	// that it says what it asks for; nil where nobody can be asked. Where Confirm
	// is set, it is too.
	MayLoad func(Inspection) (bool, error)
	// Confirm asks the user whether to trust a module; nil where nobody can be
	// asked.
	Confirm func(Review) (bool, error)
	// Audit is the file that records are appended to, empty for none.
	Audit string
	// AuditHeads is the directory where the last head of each log is kept, empty
	// for none.
	AuditHeads string
	// InputsDir is the directory where it is remembered with which inputs commands
	// succeeded, empty for none.
	InputsDir string
	// Witnessed is set where others are told of the run, as they are by Audit: the
	// provider's module itself is loaded then, whatever is known of it.
	Witnessed bool
	// Own are files that the command itself reads or writes, besides Audit and
	// what Builds writes. They are no part of a build's context.
	Own []string
	// Outcome says in a word how a run ended, and with which exit code.
	Outcome func(context.Context, error) (word string, code int)
	// Versions are what the first record of a run tells of this program.
	Versions map[string]string
	// Environ is the environment that the run takes place in.
	Environ []string
	// Env are variables that the session itself gives to the provider.
	Env map[string]string
	// Stdout and Stderr are where a child's output goes; a file is handed to
	// the child as it is.
	Stdout, Stderr io.Writer
	// Mask has the values that nobody is to be shown. What a session says by
	// itself, in errors and to the reporter, is for the caller to mask.
	Mask *redact.Set
	// Colour marks the names of programs whose output is mixed.
	Colour bool
	// Builds are what the user says of image builds, and EngineCerts is the
	// directory of certificates for a daemon where Builds names none.
	Builds      build.Options
	EngineCerts string
	// Reporter is told what happens while it does.
	Reporter Reporter
	Limits   sandbox.Limits
}

// Reporter shows what happens during a run. Its methods are called one after
// another.
type Reporter interface {
	// Log shows a message of the provider's; it is cleaned already.
	Log(provider string, level abi.Level, message string)
	// Warn shows what the user should know and the run survives.
	Warn(error)
	// Call shows a finished call through the gate.
	Call(*hostfuncs.Record)
	// Confined says what the commands of the run are held to.
	Confined(to string)
	// Progress takes what an image build says: a terminal is drawn on.
	Progress() io.Writer
}

// Session is one run. It is not for use by several goroutines at once.
type Session struct {
	opts     Options
	config   *config.Config
	registry *backend.Registry
	selected *moduleProvider
	lock     *lock.File
	project  *capability.Policy // nil when there is none
	ceilings []*capability.Policy

	// How calls are conducted; at most one of them is set.
	planning *hostfuncs.Plan
	held     *hostfuncs.Planned
	wanted   string // the digest of the module that held was made with
	plan     *Plan  // that held has
	learning *learning

	before    snapshot.Snapshot // what restricts the run, as it was
	rewritten []ChangedFile     // of it, during the run

	invocation invocation   // the last one
	building   BuildOptions // what was built in it
	divided    division     // of what the user says of it
}

// Open finds and checks the configuration, the providers, the lock file and
// the policies. No provider's code is compiled or run.
//
// # Errors
//
// yamldoc.Problems and [config.NotFoundError] for what the user wrote, a
// [*provider.UnusableError] when the selected provider's file can't be one.
func Open(opts Options) (*Session, error) {
	found, err := findConfig(opts)
	if err != nil {
		return nil, err
	}
	file := found.File
	if opts.Mask == nil {
		opts.Mask = new(redact.Set)
	}
	opts.Reporter = &serialReporter{Reporter: opts.Reporter}
	if doubt := found.Doubt(); doubt != nil {
		opts.Reporter.Warn(doubt)
	}
	s := &Session{opts: opts, registry: new(backend.Registry)}
	s.remember(file)
	unusable, err := s.register(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	s.config, err = config.Load(file, s.registry)
	for _, problem := range unusable {
		if err == nil && problem.ID == s.config.Provider {
			return nil, problem
		}
		opts.Reporter.Warn(problem)
	}
	if err != nil {
		return nil, err
	}
	if err := s.chooseEngine(); err != nil {
		return nil, err
	}
	p, _ := s.registry.Get(s.config.Provider)
	s.selected = p.(*moduleProvider)
	if s.lock, err = loadLock(s.config.Root); err != nil {
		return nil, err
	}
	return s, s.loadPolicies()
}

// chooseEngine takes the configuration's word on what builds images, where the
// user gave none.
func (s *Session) chooseEngine() error {
	chosen := &s.opts.Builds.Engine
	certs := chosen.Certs
	if chosen.Kind == "" && s.config.Engine != "" {
		engine, err := build.ParseEngine(s.config.Engine, cmp.Or(certs, s.opts.EngineCerts))
		if err != nil {
			return yamldoc.Problems{{Pos: s.config.EnginePosition(), Field: "build.engine", Message: err.Error()}}
		}
		*chosen = engine
	}
	if certs != "" && (chosen.Kind != build.BuildKit || chosen.Certs == "") {
		return &FlagError{
			Message: "--engine-certs is for a daemon at buildkit+tcp://HOST:PORT, and the engine is " + chosen.String(),
			Advice:  "name the daemon with --engine or build.engine, or leave --engine-certs out",
		}
	}
	return nil
}

func findConfig(opts Options) (config.Found, error) {
	if opts.ConfigFile != "" {
		file, err := filepath.Abs(opts.ConfigFile)
		return config.Found{File: file}, err
	}
	return config.Find(opts.Dir)
}

// register finds all providers; the project's own stand beside its
// configuration.
func (s *Session) register(projectDir string) ([]*provider.UnusableError, error) {
	sources, unusable, err := provider.Find(provider.Dirs{
		BuiltIn: s.opts.BuiltIns,
		Project: filepath.Join(projectDir, filepath.FromSlash(projectProviders)),
		User:    s.opts.UserProviders,
	})
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		if err := s.registry.Register(&moduleProvider{session: s, source: source}); err != nil {
			return nil, err
		}
	}
	return unusable, nil
}

// Config is the checked configuration.
func (s *Session) Config() *config.Config { return s.config }

// part is the selected provider's part of the configuration, as it wants it.
func (s *Session) part(g *backend.Guest) json.RawMessage {
	return s.config.Part(g.Describe().TextFrom)
}

// Dev runs the backend until it ends or ctx is done. The cause of ctx's end
// should be one of [exec.Interrupt].
func (s *Session) Dev(ctx context.Context) error {
	return s.selected.Dev(ctx, backend.DevOptions{WorkDir: ".", Env: s.opts.Env})
}

// BuildOptions say what to build.
type BuildOptions struct {
	// Tag is the image's reference; empty takes the project's default.
	Tag  string
	Push bool
	// Flags are what the user says besides, as far as not every provider can
	// carry it out. Their values are in [Options.Builds].
	Flags []Flag
}

// Image is what was built.
type Image struct {
	Reference string
	// Tags are its further references, as the user gave them.
	Tags []string
	// ID is by which digest an engine runs it, where the build went through
	// docker_build or docker_image.
	ID string
	// Digest is of the manifest or index by which a deployment names it, and
	// OtherDigests of further ones; Config is of its configuration. What isn't
	// known is empty.
	Digest       string
	OtherDigests []string
	Config       string
	// Operation is the one that told them.
	Operation string
	// Bases are the images that it was built from, as far as they are known.
	Bases []Base
}

// Base is an image by its reference, and its digest with the algorithm.
type Base struct{ Reference, Digest string }

// Build builds the backend's image.
func (s *Session) Build(ctx context.Context, opts BuildOptions) (Image, error) {
	tag := opts.Tag
	if tag == "" {
		tag = s.DefaultTag()
	}
	s.building = BuildOptions{Tag: tag, Push: opts.Push, Flags: opts.Flags}
	reference, err := s.selected.BuildDocker(ctx, backend.BuildDockerOptions{
		WorkDir: ".", Env: s.opts.Env, ImageTag: tag, Push: opts.Push,
	})
	if err != nil {
		return Image{}, err
	}
	image := Image{Reference: reference, Tags: s.opts.Builds.Tags}
	if built := s.selected.built; built != nil && built.Image == reference {
		image.ID, image.Digest, image.OtherDigests, image.Config = built.ID, built.Digest, built.OtherDigests, built.Config
		image.Operation = built.operation
		image.Bases = built.bases
	}
	return image, nil
}
