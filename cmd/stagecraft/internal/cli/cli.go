// Package cli is the command line: its grammar, what each command prints, and the
// exit codes.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/actions"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// System is the part of the machine that the command line uses.
type System struct {
	// Stdout gets results only, Stderr everything else.
	Stdout, Stderr *os.File
	Environ        []string
	// BuiltIns has the modules that are built into stagecraft.
	BuiltIns fs.FS
	// GuardProgram is the program of guards, empty for stagecraft itself.
	GuardProgram []byte
	// Helper is the program in which a module runs, nil for stagecraft itself.
	Helper *sandbox.Helper
	// SignalsHandled, unless nil, is called once os/signal receives all signals.
	SignalsHandled func()
}

type grammar struct {
	commonFlags
	commands
	Overview overviewCmd `cmd:"" default:"1" hidden:""`
}

type commonFlags struct {
	Directory string `short:"C" placeholder:"DIR" default:"." help:"Look for stagecraft.yml in DIR, then upward."`
	Config    string `short:"c" placeholder:"FILE" help:"Use FILE as the configuration, and its directory as the project."`
	Verbose   bool   `short:"v" help:"Show every call of the provider and the decision on it."`

	Policy []string `name:"policy" sep:"none" placeholder:"FILE[@sha256:DIGEST]" help:"Also enforce the policy in FILE, as a ceiling; repeatable. STAGECRAFT_POLICY names more."`
	Allow  bool     `name:"allow-project-ceiling" help:"Allow ceilings in the project, which a pull request can change; otherwise they are an error with CI=true."`
	Locked *bool    `negatable:"" help:"Never ask, never write stagecraft.lock, and fail if a file that restricts the next run changed; the default with CI=true."`

	NoReplay bool `name:"no-replay" help:"Load the provider's module even if an earlier run can be replayed; also STAGECRAFT_NO_REPLAY."`

	limitFlags
}

type commands struct {
	Init  initCmd  `cmd:"" help:"Write stagecraft.yml and a first policy for a project."`
	Dev   devCmd   `cmd:"" help:"Run the backend for development."`
	Build buildCmd `cmd:"" help:"Build the backend's image."`
	Plan  struct {
		Dev   planDevCmd   `cmd:"" help:"Show what dev would do."`
		Build planBuildCmd `cmd:"" help:"Show what build would do."`
	} `cmd:"" help:"Show what a command would do and whether it is allowed, without running it."`
	Validate validateCmd `cmd:"" help:"Check the configuration, including the provider's part."`
	Provider struct {
		List    providerListCmd    `cmd:"" help:"List the available providers."`
		Inspect providerInspectCmd `cmd:"" help:"Show a provider and what it asks for."`
		Trust   providerTrustCmd   `cmd:"" help:"Trust a provider and record it in stagecraft.lock."`
		Untrust providerUntrustCmd `cmd:"" help:"Remove a provider from stagecraft.lock."`
		Diff    providerDiffCmd    `cmd:"" help:"Show how a provider differs from its entry in stagecraft.lock."`
	} `cmd:"" help:"List, inspect and trust providers."`
	Rules struct {
		Explain policyExplainCmd `cmd:"" help:"Show whether the policies allow an operation, and why."`
		Check   policyCheckCmd   `cmd:"" help:"Find mistakes in policies."`
		Test    policyTestCmd    `cmd:"" help:"Run policy tests."`
		Learn   policyLearnCmd   `cmd:"" help:"Write the least policy that a run needs."`
	} `cmd:"" name:"policy" help:"Explain, check, test and learn policies."`
	Audit struct {
		Verify auditVerifyCmd `cmd:"" help:"Find changes to an audit log."`
		Show   auditShowCmd   `cmd:"" help:"Print an audit log as text."`
		Report auditReportCmd `cmd:"" help:"Write an audit log as an HTML page."`
	} `cmd:"" help:"Read audit logs."`
	Doctor     doctorCmd     `cmd:"" help:"Check this machine and the project."`
	Schema     schemaCmd     `cmd:"" help:"Print the JSON Schema of a file, for editors."`
	Verify     verifyCmd     `cmd:"" help:"Verify a statement that build --attest wrote."`
	Completion completionCmd `cmd:"" help:"Print a script that completes command lines in a shell."`
	Man        manCmd        `cmd:"" help:"Print a manual page."`
	Version    versionCmd    `cmd:"" help:"Show the version; also --version."`
	Help       helpCmd       `cmd:"" help:"Show the help of a command."`
}

const description = `Run and build an application's backend through a sandboxed provider.

stagecraft.yml selects the provider and configures it. It is searched for in the working directory, then upward.`

// app is one run of the command line.
type app struct {
	System
	grammar  grammar
	printer  *printer
	secrets  *redact.Set       // masked in all output
	workflow *actions.Workflow // nil outside GitHub Actions
	opened   *session.Session  // nil until opened
	ceilings []session.Ceiling // named by the user
	limits   sandbox.Limits    // of the provider's module
	handled  chan struct{}     // closed once all signals are handled
	running  atomic.Bool       // whether processes of a provider may be running
}

// Main runs the command line and returns the exit code.
func Main(args []string, system System) (code int) {
	a := &app{System: system, secrets: new(redact.Set)}
	defer func() {
		if r := recover(); r != nil {
			code = crashed(masking{system.Stderr, a.secrets}, r)
		}
	}()
	ctx, stop := a.watchSignals(context.Background())
	defer stop()
	if len(args) > 0 && args[0] == "--version" {
		args = append([]string{"version"}, args[1:]...)
	}
	a.workflow = newWorkflow(system, a.secrets)
	a.printer = newPrinter(system, a.workflow, a.secrets)
	if len(args) > 0 && args[0] == completeWord {
		return a.complete(args[1:])
	}
	a.printer.json = slices.Contains(args, "--json")
	exited := -1
	stdout := &checkedWriter{w: a.printer.stdout}
	parser, err := a.newParser(args, kong.Writers(stdout, a.printer.stderr), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		a.printer.failure(err)
		return ExitFailed
	}
	parsed, err := parser.Parse(args)
	switch {
	case stdout.err != nil:
		a.printer.failure(stdout.err)
		return ExitFailed
	case exited >= 0:
		return exited
	case err != nil:
		a.printer.show(parseFailure(err, parser.Model.Node))
		return ExitUsage
	}
	a.printer.help = seeHelp(parsed.Selected())
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = a.run(parsed, args)
	if err != nil && !isShown(ctx, err) {
		a.printer.failure(err)
	}
	return exitCode(ctx, err)
}

// newParser returns a parser for the command that the first argument names, or else for
// all commands: it takes a tenth of the time of version to read the tags of all.
func (a *app) newParser(args []string, options ...kong.Option) (*kong.Kong, error) {
	options = append(options,
		kong.Name("stagecraft"), kong.Description(description), kong.Bind(a),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: a.helpWidth()}),
	)
	all := reflect.ValueOf(&a.grammar.commands).Elem()
	for i := range all.NumField() {
		field := all.Type().Field(i)
		name := cmp.Or(field.Tag.Get("name"), strings.ToLower(field.Name))
		if len(args) > 0 && args[0] == name {
			command := kong.DynamicCommand(name, field.Tag.Get("help"), "", all.Field(i).Addr().Interface())
			return kong.New(&a.grammar.commonFlags, append(options, command)...)
		}
	}
	return kong.New(&a.grammar, options...)
}

// run checks the common flags and variables, and runs the command.
func (a *app) run(parsed *kong.Context, args []string) error {
	err := checkFlags(parsed, args)
	if err != nil {
		return err
	}
	if a.ceilings, err = a.namedCeilings(); err != nil {
		return err
	}
	if a.limits, err = a.grammar.limitFlags.limits(); err != nil {
		return err
	}
	noReplay, err := a.setting("STAGECRAFT_NO_REPLAY")
	if err != nil {
		return err
	}
	a.grammar.NoReplay = a.grammar.NoReplay || noReplay != ""
	return parsed.Run()
}

// crashed prints that a bug of our own ended the command, and where.
func crashed(stderr io.Writer, reason any) int {
	where := "unknown location"
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers)])
	for panicked := false; ; {
		f, more := frames.Next()
		if panicked && !strings.HasPrefix(f.Function, "runtime.") {
			where = fmt.Sprintf("%s:%d", f.File, f.Line)
			break
		}
		panicked = panicked || f.Function == "runtime.gopanic"
		if !more {
			break
		}
	}
	fmt.Fprintf(stderr, "error: bug in stagecraft: %s\n  please report it, with this location: %s\n", termtext.Line(fmt.Sprint(reason), 1000), where)
	return ExitFailed
}

// checkedWriter remembers that a write failed, which kong forgets.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.err = errors.Join(c.err, err)
	return n, err
}

// options returns the options of a session that the common flags set.
func (a *app) options() session.Options {
	directories := userDirectories(a.Environ)
	return session.Options{
		NoReplay: a.grammar.NoReplay, Limits: a.limits,
		Ceilings: a.ceilings, InProject: a.inProject(), Locked: a.locked(), Outcome: outcome, Versions: versions(),
		Dir: a.grammar.Directory, ConfigFile: a.grammar.Config,
		BuiltIns: a.BuiltIns, GuardProgram: a.GuardProgram, Helper: a.Helper, UserProviders: directories.providers, CacheDir: directories.cache, AuditHeads: directories.heads, InputsDir: directories.inputs,
		Environ: a.Environ, EngineCerts: a.getenv(engineCertsEnv), Stdout: a.Stdout, Stderr: a.Stderr,
		// A key is never sent to an engine, even if it is not used.
		Own: []string{a.getenv(attestKeyEnv)},
		// The names of programs are printed on both streams.
		Mask: a.secrets, Colour: a.printer.color && wantsColor(a.Stdout, a.Environ),
		Reporter: &reporter{printer: a.printer, verbose: a.grammar.Verbose, stderr: a.Stderr},
	}
}
