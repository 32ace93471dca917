// Package session runs and builds an application's backend through a provider:
// it finds the configuration and the provider, calls the provider behind the
// gate, and reports what happened. The program stagecraft is one command line
// for it; other programs can use it in the same way, see the example.
//
// A program calls [Main] first, then [Open] and one of [Session.Dev],
// [Session.Build], [Session.Plan], [Session.Validate] and the others.
//
// # Stability
//
// Main, Open, Dev, Build, Validate, [Interrupt], [Options], [BuildOptions],
// [BuildSettings], [Image] and the error types stay compatible within a major
// version: fields are added, and none changes its meaning. [Reporter] and [Record]
// may get more methods and fields in a minor version, so embed a Reporter in
// your own. What else is exported serves the program stagecraft and may change.
package session

import (
	"cmp"
	"context"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/screen"
	"github.com/stagecraft-dev/stagecraft/internal/snapshot"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// projectProviders is the directory of a project's own providers.
const projectProviders = ".stagecraft/providers"

// The commands of a provider.
const (
	CommandDev   = "dev"
	CommandBuild = "build"
)

// Options say where a session looks and what it may use. Fields may be empty unless
// their comment says otherwise.
type Options struct {
	// Dir is where the search for stagecraft.yml begins; it goes upward.
	Dir string
	// ConfigFile is the configuration itself. Dir is not searched then.
	ConfigFile string
	// BuiltIns has the modules that come with the program, as files ID.wasm. They
	// are trusted like the program.
	BuiltIns fs.FS
	// GuardProgram is what runs commands on Linux, as a program of its own: that of
	// package hostfuncs/internal/guard. If it is empty, this program executes itself.
	GuardProgram []byte
	// Helper is the program in which a provider's module runs. If it is nil, this
	// program executes itself.
	Helper *sandbox.Helper
	// UserProviders is the user's directory of providers. CacheDir keeps compiled
	// modules and, unless NoReplay is set, what they did in earlier runs.
	UserProviders, CacheDir string
	// NoReplay loads the provider's module in every run. So do Audit and
	// LoadModule.
	NoReplay bool
	// LoadModule loads the provider's module in this run, because others rely on
	// what is reported of it.
	LoadModule bool
	// Ceilings are policy files from outside the project, which can only restrict
	// further. InProject says how to treat those that are inside.
	Ceilings  []Ceiling
	InProject InProject
	// Locked asks nothing and leaves the lock file unchanged. The run fails if a
	// file that restricts the next run changes.
	Locked bool
	// MayLoad asks the user whether to load an untrusted module, to show what it
	// asks for. It is nil if the user cannot be asked, and required with Confirm.
	MayLoad func(Inspection) (bool, error)
	// Confirm asks the user whether to trust a module; nil if the user cannot be
	// asked.
	Confirm func(Review) (bool, error)
	// Audit is the file that records are appended to. Nothing happens until its
	// record is written.
	Audit string
	// AuditHeads is the directory for the last head of each log.
	AuditHeads string
	// InputsDir is the directory for the inputs with which commands succeeded.
	InputsDir string
	// Own are files that the caller reads or writes, besides Audit and the outputs
	// of Builds. They are not part of a build's context.
	Own []string
	// Outcome names how a run ended, with its exit code, for the audit log. The
	// default is "done", 0, or "failed", 1.
	Outcome func(context.Context, error) (word string, code int)
	// Versions are recorded in the audit log and in provenance.
	Versions map[string]string
	// Environ is the user's environment, as [os.Environ] returns it.
	Environ []string
	// Env are variables that the session itself gives to the provider.
	Env map[string]string
	// Stdout and Stderr get the output of commands. An [os.File] is passed to the
	// command itself.
	Stdout, Stderr io.Writer
	// Mask gets the secret values of the run. The caller masks errors and what
	// goes to Reporter.
	Mask *Mask
	// Colour marks the names of programs in mixed output.
	Colour bool
	// Processes are those of the backend to run in [Session.Dev], with those that they
	// depend on; empty runs all.
	Processes []string
	// OpenURL opens the backend's first URL once it is ready; nil opens none.
	OpenURL func(url string) error
	// Output says what is shown of the output of commands.
	Output OutputOptions
	// Builds are the user's settings for image builds. EngineCerts is the directory
	// of certificates for a daemon if Builds names none.
	Builds      BuildSettings
	EngineCerts string
	// Reporter shows what happens. The default writes warnings and the provider's
	// messages to Stderr.
	Reporter Reporter
	Limits   sandbox.Limits
}

// Mask has values that must not be shown, and removes them from text.
type Mask = redact.Set

// Session is a project with its configuration, providers and policies, ready for
// a run. It is not safe for concurrent use.
type Session struct {
	opts     Options
	builds   build.Options // from opts.Builds
	config   *config.Config
	selected provider.Source
	lock     *lock.File         // replaced when the user trusts a module
	project  *capability.Policy // nil if there is none
	ceilings []*capability.Policy
	opened   snapshot.Snapshot // of the files that restrict the run
	screen   *screen.Screen
	idle     bool // nothing is written, not even temporarily
}

// found is a provider in the registry.
type found struct{ source provider.Source }

// ID is the ID by which the provider was found.
func (f found) ID() string { return f.source.ID }

// Open finds and checks the configuration, the providers, the lock file and
// the policies. It does not compile or run any provider's code.
//
// # Errors
//
// Problems with positions in the user's files, [config.NotFoundError], [*FlagError] for
// Options.Builds, and [*provider.UnusableError] if the selected provider's file is not a
// provider.
func Open(opts Options) (*Session, error) {
	s := &Session{opts: opts.withDefaults()}
	if s.mustLoad() {
		opts.Helper.Ready()
	}
	var err error
	if s.builds, err = opts.Builds.parse(opts.EngineCerts, s.getenv("TERM")); err != nil {
		return nil, err
	}
	at, err := findConfig(opts)
	if err != nil {
		return nil, err
	}
	if doubt := at.Doubt(); doubt != nil {
		s.opts.Reporter.Warn(doubt)
	}
	s.remember(at.File)
	if err := s.configure(at.File); err != nil {
		return nil, err
	}
	if err := s.chooseEngine(); err != nil {
		return nil, err
	}
	if s.lock, err = loadLock(s.config.Root); err != nil {
		return nil, err
	}
	if err := s.loadPolicies(); err != nil {
		return s, err
	}
	return s, s.openScreen()
}

func (o Options) withDefaults() Options {
	o.Mask = cmp.Or(o.Mask, new(Mask))
	o.Stdout, o.Stderr = cmp.Or(o.Stdout, io.Discard), cmp.Or(o.Stderr, io.Discard)
	o.Reporter = &serialReporter{Reporter: cmp.Or[Reporter](o.Reporter, &textReporter{o.Stderr, o.Mask})}
	if o.Outcome == nil {
		o.Outcome = func(_ context.Context, err error) (string, int) {
			if err != nil {
				return "failed", 1
			}
			return "done", 0
		}
	}
	return o
}

// configure finds the providers, reads the configuration, and selects its provider.
func (s *Session) configure(file string) error {
	sources, unusable, err := findProviders(s.opts, filepath.Dir(file))
	if err != nil {
		return err
	}
	var registry backend.Registry[found]
	for _, source := range sources {
		if err := registry.Register(found{source}); err != nil {
			return err
		}
	}
	s.config, err = config.Load(file, &registry)
	for _, problem := range unusable {
		if err == nil && problem.ID == s.config.Provider {
			return problem
		}
		s.opts.Reporter.Warn(problem)
	}
	if err != nil {
		return err
	}
	p, _ := registry.Get(s.config.Provider)
	s.selected = p.source
	return nil
}

func findConfig(opts Options) (config.Found, error) {
	if opts.ConfigFile != "" {
		file, err := filepath.Abs(opts.ConfigFile)
		return config.Found{File: file}, err
	}
	return config.Find(opts.Dir)
}

// ProjectRoot is the directory of the project that [Open] would use, without links.
//
// # Errors
//
// A [*config.NotFoundError] if there is none.
func ProjectRoot(opts Options) (string, error) {
	found, err := findConfig(opts)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(filepath.Dir(found.File))
}

// findProviders finds all providers. The project's own are below dir.
func findProviders(opts Options, dir string) ([]provider.Source, []*provider.UnusableError, error) {
	return provider.Find(provider.Dirs{
		BuiltIn: opts.BuiltIns, Project: filepath.Join(dir, filepath.FromSlash(projectProviders)), User: opts.UserProviders,
	})
}

// Config is the checked configuration.
func (s *Session) Config() *config.Config { return s.config }

// Source is where the selected provider was found.
func (s *Session) Source() provider.Source { return s.selected }

// Policy is the project's policy, nil if there is none.
func (s *Session) Policy() *capability.Policy { return s.project }

// part is the provider's part of the configuration, as JSON.
func (s *Session) part(g *backend.Guest) []byte {
	return s.config.Part(g.Describe().TextFrom)
}

// Dev runs the backend until it ends or ctx is done. Without a cause from
// [Interrupt], the end of ctx kills the backend at once.
func (s *Session) Dev(ctx context.Context) error {
	_, err := s.run(ctx, live{}, s.devCall())
	return err
}

func (s *Session) devCall() call {
	return call{operation: abi.ExportDev, build: BuildOptions{Flags: s.opts.devFlags()}, builds: s.builds, make: s.checked(func(ctx context.Context, l *loaded, _ division) error {
		options := backend.DevOptions{Config: s.part(l.guest), WorkDir: ".", Env: s.opts.Env, Processes: s.opts.Processes}
		if slices.Contains(l.guest.Describe().DevOptions, abi.OptionOnlyOutput) {
			options.OnlyOutput = s.opts.Output.Only
		}
		return l.guest.Dev(ctx, options)
	})}
}
