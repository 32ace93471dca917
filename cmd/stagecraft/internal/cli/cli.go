// Package cli is the command line: the grammar, what each command prints, and
// the exit codes.
package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// System is what the command line has of the machine.
type System struct {
	// Stdout takes results alone, Stderr everything else.
	Stdout, Stderr *os.File
	Environ        []string
	// BuiltIns has the modules that come with stagecraft.
	BuiltIns fs.FS
}

type grammar struct {
	Directory string `short:"C" placeholder:"DIR" default:"." help:"Look for stagecraft.yml in DIR, then upward."`
	Config    string `short:"c" placeholder:"FILE" help:"Use FILE as the configuration, and its folder as the project."`
	Verbose   bool   `short:"v" help:"Show every call that the provider makes, and what decided on it."`

	Dev      devCmd      `cmd:"" help:"Run the backend for development."`
	Build    buildCmd    `cmd:"" help:"Build the backend's image."`
	Validate validateCmd `cmd:"" help:"Check the configuration, the provider's own part too."`
	Provider struct {
		List    providerListCmd    `cmd:"" help:"List the providers that can be used here."`
		Inspect providerInspectCmd `cmd:"" help:"Show what a provider is, and what it asks for."`
	} `cmd:"" help:"Look at providers."`
	Version versionCmd `cmd:"" help:"Show the version."`
}

const description = `Run and build an application's backend through a sandboxed provider.

stagecraft.yml names the provider and has its settings; it is looked for in the working directory and upward.`

// app is one run of the command line.
type app struct {
	System
	grammar grammar
	printer *printer
}

// Main runs the command line and returns the exit code.
func Main(args []string, system System) int {
	a := &app{System: system, printer: newPrinter(system)}
	a.printer.json = slices.Contains(args, "--json")
	exited := -1
	stdout := &checkedWriter{w: system.Stdout}
	parser, err := kong.New(&a.grammar,
		kong.Name("stagecraft"), kong.Description(description),
		kong.Writers(stdout, system.Stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
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
		a.printer.usage(err)
		return ExitUsage
	}
	ctx, stop := interruptible(context.Background())
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(a)
	if err != nil && !isKnownEnd(ctx, err) {
		a.printer.failure(err)
	}
	return exitCode(ctx, err)
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

// options are what a session gets from the flags that all commands share.
func (a *app) options() session.Options {
	folders := userFolders(a.Environ)
	return session.Options{
		Dir: a.grammar.Directory, ConfigFile: a.grammar.Config,
		BuiltIns: a.BuiltIns, UserProviders: folders.providers, CacheDir: folders.cache,
		Environ: a.Environ, Stdout: a.Stdout, Stderr: a.Stderr,
		Reporter: &reporter{printer: a.printer, verbose: a.grammar.Verbose},
	}
}
