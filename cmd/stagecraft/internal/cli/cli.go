// Package cli is the command line: the grammar, what each command prints, and
// the exit codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/actions"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// System is what the command line has of the machine.
type System struct {
	// Stdout takes results alone, Stderr everything else.
	Stdout, Stderr *os.File
	Environ        []string
	// BuiltIns has the modules that come with stagecraft.
	BuiltIns fs.FS
	// GuardProgram is the program of guards, empty for stagecraft itself.
	GuardProgram []byte
	// SignalsTaken, if there is one, is called once all signals come to os/signal.
	SignalsTaken func()
}

type grammar struct {
	Directory string `short:"C" placeholder:"DIR" default:"." help:"Look for stagecraft.yml in DIR, then upward."`
	Config    string `short:"c" placeholder:"FILE" help:"Use FILE as the configuration, and its directory as the project."`
	Verbose   bool   `short:"v" help:"Show every call that the provider makes, and what decided on it."`

	Policy []string `name:"policy" sep:"none" placeholder:"FILE[@sha256:DIGEST]" help:"Also enforce the policy in FILE, as a ceiling; repeatable. STAGECRAFT_POLICY names more."`
	Allow  bool     `name:"allow-project-ceiling" help:"Allow ceilings in the project, which a pull request can change; with CI=true they are an error otherwise."`
	Locked *bool    `negatable:"" help:"Ask nothing, write no stagecraft.lock, and fail if what restricts the next run changed; the default with CI=true."`

	NoReplay bool `name:"no-replay" help:"Load the provider's module, even if an earlier run tells what it does; also with STAGECRAFT_NO_REPLAY."`

	Dev   devCmd   `cmd:"" help:"Run the backend for development."`
	Build buildCmd `cmd:"" help:"Build the backend's image."`
	Plan  struct {
		Dev   planDevCmd   `cmd:"" help:"Show what dev would do."`
		Build planBuildCmd `cmd:"" help:"Show what build would do."`
	} `cmd:"" help:"Show what a command would do, and whether it may; nothing is run."`
	Validate validateCmd `cmd:"" help:"Check the configuration, the provider's own part too."`
	Provider struct {
		List    providerListCmd    `cmd:"" help:"List the providers that can be used here."`
		Inspect providerInspectCmd `cmd:"" help:"Show what a provider is, and what it asks for."`
		Trust   providerTrustCmd   `cmd:"" help:"Agree to a provider, and note that in stagecraft.lock."`
		Untrust providerUntrustCmd `cmd:"" help:"Take a provider out of stagecraft.lock."`
		Diff    providerDiffCmd    `cmd:"" help:"Show how a provider differs from the one in stagecraft.lock."`
	} `cmd:"" help:"Look at providers, and trust them."`
	Rules struct {
		Explain policyExplainCmd `cmd:"" help:"Say whether the provider may do something, and why."`
		Check   policyCheckCmd   `cmd:"" help:"Look for mistakes in policies."`
		Test    policyTestCmd    `cmd:"" help:"Run the tests of policies."`
		Learn   policyLearnCmd   `cmd:"" help:"Write the least policy that a run needs."`
	} `cmd:"" name:"policy" help:"Explain, check, test and learn policies."`
	Audit struct {
		Verify auditVerifyCmd `cmd:"" help:"Find what was changed in an audit log."`
		Show   auditShowCmd   `cmd:"" help:"Show an audit log as text."`
		Report auditReportCmd `cmd:"" help:"Make a page of an audit log."`
	} `cmd:"" help:"Read audit logs."`
	Verify  verifyCmd  `cmd:"" help:"Check a statement that build --attest wrote."`
	Version versionCmd `cmd:"" help:"Show the version."`
}

const description = `Run and build an application's backend through a sandboxed provider.

stagecraft.yml names the provider and has its settings; it is looked for in the working directory and upward.`

// app is one run of the command line.
type app struct {
	System
	grammar  grammar
	printer  *printer
	secrets  *redact.Set       // what nobody is to be shown
	workflow *actions.Workflow // nil outside of GitHub Actions
	opened   *session.Session  // nil until one is
	ceilings []session.Ceiling // those that the user named
	runs     atomic.Bool       // whether there may be processes of a provider's
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
	if system.SignalsTaken != nil {
		system.SignalsTaken()
	}
	a.workflow = newWorkflow(system, a.secrets)
	a.printer = newPrinter(system, a.workflow, a.secrets)
	a.printer.json = slices.Contains(args, "--json")
	exited := -1
	stdout := &checkedWriter{w: a.printer.stdout}
	parser, err := kong.New(&a.grammar,
		kong.Name("stagecraft"), kong.Description(description),
		kong.Writers(stdout, a.printer.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: a.helpWidth()}),
	)
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
		a.printer.show(grammarError(err, parser.Model.Node))
		return ExitUsage
	}
	a.printer.help = seeHelp(parsed.Selected())
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err = checkGiven(parsed, args); err == nil {
		a.ceilings, err = a.namedCeilings()
	}
	if err == nil {
		var set string
		set, err = a.namedBy("STAGECRAFT_NO_REPLAY")
		a.grammar.NoReplay = a.grammar.NoReplay || set != ""
	}
	if err == nil {
		err = parsed.Run(a)
	}
	if err != nil && !isKnownEnd(ctx, err) {
		a.printer.failure(err)
	}
	return exitCode(ctx, err)
}

// crashed says that a mistake of our own ended the command, and where.
func crashed(stderr io.Writer, reason any) int {
	where := "an unknown place"
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
	fmt.Fprintf(stderr, "error: a mistake in stagecraft itself: %s\n  please report it, with this place: %s\n", termtext.Line(fmt.Sprint(reason), 1000), where)
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

// getenv is the value of a variable; the last of several counts.
func (a *app) getenv(name string) string {
	value := ""
	for _, entry := range a.Environ {
		if n, v, ok := strings.Cut(entry, "="); ok && n == name {
			value = v
		}
	}
	return value
}

// locked is what the user said, or else true where nobody is there to ask.
func (a *app) locked() bool {
	if a.grammar.Locked != nil {
		return *a.grammar.Locked
	}
	return a.inCI()
}

// inCI tells whether nobody is there, as CI systems say.
func (a *app) inCI() bool { return a.getenv("CI") == "true" }

// options are what a session gets from the flags that all commands share.
func (a *app) options() session.Options {
	directories := userDirectories(a.Environ)
	return session.Options{
		NoReplay: a.grammar.NoReplay,
		Ceilings: a.ceilings, InProject: a.inProject(), Locked: a.locked(), Outcome: outcome, Versions: versions(),
		Dir: a.grammar.Directory, ConfigFile: a.grammar.Config,
		BuiltIns: a.BuiltIns, GuardProgram: a.GuardProgram, UserProviders: directories.providers, CacheDir: directories.cache, AuditHeads: directories.heads, InputsDir: directories.inputs,
		Environ: a.Environ, EngineCerts: a.getenv(engineCertsEnv), Stdout: a.Stdout, Stderr: a.Stderr,
		// A key is never sent to an engine, whether it is used or not.
		Own: []string{a.getenv(attestKey)},
		// What programs print, and their names with it, goes to both streams.
		Mask: a.secrets, Colour: a.printer.color && wantsColor(a.Stdout, a.Environ),
		Reporter: &reporter{printer: a.printer, verbose: a.grammar.Verbose, terminal: a.Stderr},
	}
}
