package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type providerTrustCmd struct {
	Provider string `arg:"" name:"id|file" help:"The ID of a provider, or a file."`
	Yes      bool   `short:"y" help:"Agree without being asked."`
}

func (providerTrustCmd) Help() string {
	return `What the provider asks for is shown, and once you agree, it is noted in
stagecraft.lock together with the module's SHA-256. Other bytes are not trusted.
Commit the file: whoever builds the project then trusts the same module.

Examples:
  stagecraft provider trust my-provider
  stagecraft provider trust my-provider --yes`
}

// Run is called by kong.
func (c providerTrustCmd) Run(ctx context.Context, a *app) error {
	if err := a.writesLock("trust"); err != nil {
		return err
	}
	source, err := findSource(a, c.Provider)
	if err != nil {
		return err
	}
	opts := a.options()
	if opts.MayLoad = a.loader(ctx); c.Yes {
		opts.MayLoad = always
	}
	locked, err := session.OpenLock(opts)
	if err != nil {
		return err
	}
	review, err := locked.Review(ctx, source)
	if err != nil {
		return err
	}
	agreed, err := c.agreed(ctx, a, review)
	if err == nil && !agreed {
		err = &session.UntrustedError{ID: review.Entry.ID, Declined: true}
	}
	if err != nil {
		return err
	}
	if err := locked.Trust(ctx, review); err != nil {
		return err
	}
	return a.printer.result(fmt.Sprintf("provider %s is trusted, as %s has it\n", review.Entry.ID, lock.FileName))
}

// agreed tells whether the user trusts a module, which was loaded if they wanted
// that.
func (c providerTrustCmd) agreed(ctx context.Context, a *app, review session.Review) (bool, error) {
	if c.Yes {
		fmt.Fprint(a.printer.stderr, reviewText(review))
		return true, nil
	}
	confirm := a.confirmer(ctx)
	if confirm == nil || a.locked() {
		fmt.Fprint(a.printer.stderr, seenText(review.Found))
		return false, &session.UntrustedError{ID: review.Entry.ID, Unasked: termtext.Line(c.Provider, 1000)}
	}
	if !review.Found.Loaded {
		return false, nil
	}
	return confirm(review)
}

type providerUntrustCmd struct {
	ID string `arg:"" help:"The ID of a provider."`
}

func (providerUntrustCmd) Help() string {
	return `The provider is taken out of stagecraft.lock, and runs no more until it is
trusted again.

Example:
  stagecraft provider untrust my-provider`
}

// Run is called by kong.
func (c providerUntrustCmd) Run(ctx context.Context, a *app) error {
	if err := a.writesLock("untrust"); err != nil {
		return err
	}
	locked, err := session.OpenLock(a.options())
	if err != nil {
		return err
	}
	found, err := locked.Untrust(ctx, c.ID)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("provider %q is not in %s", c.ID, lock.FileName)
	}
	return a.printer.result(fmt.Sprintf("provider %s is not trusted any more\n", c.ID))
}

type providerDiffCmd struct {
	Provider string `arg:"" name:"id|file" help:"The ID of a provider, or a file."`
	loadFlag
}

func (providerDiffCmd) Help() string {
	return `Shows how the module differs from the one that stagecraft.lock has: what it asks
for, what it can call, version and SHA-256. The exit code is 1 if it does. What
it asks for only the module itself can say: you are asked whether to load it,
and without a terminal it is not loaded but with --load.

Examples:
  stagecraft provider diff my-provider
  stagecraft provider diff --load my-provider`
}

// errDiffers ends a command whose output says all.
var errDiffers = errors.New("it differs")

// Run is called by kong.
func (c providerDiffCmd) Run(ctx context.Context, a *app) error {
	source, err := findSource(a, c.Provider)
	if err != nil {
		return err
	}
	opts := a.options()
	opts.MayLoad = c.loader(ctx, a)
	locked, err := session.OpenLock(opts)
	if err != nil {
		return err
	}
	review, err := locked.Compare(ctx, source)
	if err == nil {
		err = c.notLoaded(a, review.Found, c.Provider)
	}
	if err != nil {
		return err
	}
	if review.Before == nil {
		return fmt.Errorf("provider %s is not in %s: there is nothing to compare it with", review.Entry.ID, lock.FileName)
	}
	diff := lock.Compare(*review.Before, review.Entry)
	if diff.Same() {
		return a.printer.result("provider " + review.Entry.ID + " is the one that " + lock.FileName + " has\n")
	}
	if err := a.printer.result(strings.Join(diff.Lines(), "\n") + "\n"); err != nil {
		return err
	}
	return errDiffers
}

// findSource takes what looks like a path for a file, and the rest for an ID.
func findSource(a *app, named string) (provider.Source, error) {
	if strings.ContainsAny(named, `/\`) || strings.HasSuffix(named, provider.Extension) {
		if _, err := os.Stat(named); err != nil {
			return provider.Source{}, &provider.UnusableError{Path: named, Reason: "there is no such file"}
		}
		return provider.File(named), nil
	}
	sources, err := session.Providers(a.options())
	if err != nil {
		return provider.Source{}, err
	}
	ids := make([]string, len(sources))
	for i, s := range sources {
		if s.ID == named {
			return s, nil
		}
		ids[i] = s.ID
	}
	return provider.Source{}, &unknownProviderError{named, ids}
}

// confirmer is how a session asks, nil where nobody can be asked.
func (a *app) confirmer(ctx context.Context) func(session.Review) (bool, error) {
	if !a.atTerminal() {
		return nil
	}
	return func(r session.Review) (bool, error) {
		fmt.Fprint(a.printer.stderr, reviewText(r))
		return a.agree(ctx, "trust it, and note that in "+lock.FileName+"?")
	}
}

// loader is how a session asks whether to load what nobody has trusted yet, nil
// where nobody can be asked.
func (a *app) loader(ctx context.Context) func(session.Inspection) (bool, error) {
	if !a.atTerminal() || a.locked() {
		return nil
	}
	return func(found session.Inspection) (bool, error) {
		fmt.Fprint(a.printer.stderr, seenText(found))
		return a.agree(ctx, "load it, to see what it asks for? It can do nothing meanwhile.")
	}
}

func (a *app) atTerminal() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(a.Stderr.Fd()))
}

// agree asks once. No answer is a no, and what was typed before the question is
// no answer.
func (a *app) agree(ctx context.Context, question string) (bool, error) {
	dropTypedAhead(os.Stdin)
	fmt.Fprint(a.Stderr, question+" [y/N] ")
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	// A read of a terminal can't be ended: after an interrupt this goes with
	// the process.
	go func() {
		text, err := readLine(os.Stdin)
		read <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.Stderr)
		return false, context.Cause(ctx)
	case answer := <-read:
		if answer.err != nil {
			fmt.Fprintln(a.Stderr)
		}
		said := strings.ToLower(strings.TrimSpace(answer.text))
		return said == "y" || said == "yes", nil
	}
}

// readLine reads a line and nothing after it, which is for the command.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < 1000; {
		n, err := r.Read(b)
		if n == 1 && b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			return string(line), err
		}
	}
	return string(line), nil
}
