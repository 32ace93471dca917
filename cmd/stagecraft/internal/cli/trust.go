package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type providerTrustCmd struct {
	Provider string `arg:"" name:"id|file" help:"The ID of a provider, or a file."`
	Yes      bool   `short:"y" help:"Trust it without asking."`
}

func (providerTrustCmd) Help() string {
	return `Shows what the provider asks for and, if you confirm, records it in stagecraft.lock
with the module's SHA-256. Other bytes are not trusted. Commit the file, so that
everybody who builds the project trusts the same module.

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
	trusted, err := c.confirmed(ctx, a, review)
	if err == nil && !trusted {
		err = &session.UntrustedError{ID: review.Entry.ID, Declined: true}
	}
	if err != nil {
		return err
	}
	if err := locked.Trust(ctx, review); err != nil {
		return err
	}
	return a.printer.result(fmt.Sprintf("provider %s is trusted and recorded in %s\n", review.Entry.ID, lock.FileName))
}

// confirmed reports whether the user trusts a module, which was loaded only if the
// user allowed it.
func (c providerTrustCmd) confirmed(ctx context.Context, a *app, review session.Review) (bool, error) {
	if c.Yes {
		fmt.Fprint(a.printer.stderr, reviewText(review))
		return true, nil
	}
	confirm := a.confirmer(ctx)
	if confirm == nil || a.locked() {
		fmt.Fprint(a.printer.stderr, untrustedText(review.Found))
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
	return `Removes the provider from stagecraft.lock. It does not run until it is trusted again.

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
	return a.printer.result(fmt.Sprintf("provider %s is no longer trusted\n", c.ID))
}

type providerDiffCmd struct {
	Provider string `arg:"" name:"id|file" help:"The ID of a provider, or a file."`
	loadFlag
}

func (providerDiffCmd) Help() string {
	return `Shows how the module differs from its entry in stagecraft.lock: what it asks for,
what it can call, version and SHA-256. The exit code is 1 if it differs. Only a
loaded module says what it asks for: you are asked whether to load an untrusted one;
without a terminal it is loaded only with --load.

Examples:
  stagecraft provider diff my-provider
  stagecraft provider diff --load my-provider`
}

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
		return fmt.Errorf("provider %s is not in %s, so there is no entry to compare it with", review.Entry.ID, lock.FileName)
	}
	diff := lock.Compare(*review.Before, review.Entry)
	if diff.Same() {
		return a.printer.result("provider " + review.Entry.ID + " is the same as in " + lock.FileName + "\n")
	}
	return cmp.Or(a.printer.result(strings.Join(diff.Lines(), "\n")+"\n"), errDiffers)
}

// findSource finds a provider by its path or its ID.
func findSource(a *app, named string) (provider.Source, error) {
	if strings.ContainsAny(named, `/\`) || strings.HasSuffix(named, provider.Extension) {
		if _, err := os.Stat(named); err != nil {
			return provider.Source{}, &provider.UnusableError{Path: named, Reason: "no such file"}
		}
		return provider.File(named), nil
	}
	sources, err := session.Providers(a.options())
	if err != nil {
		return provider.Source{}, err
	}
	var ids []string
	for _, s := range sources {
		if s.ID == named {
			return s, nil
		}
		ids = append(ids, s.ID)
	}
	return provider.Source{}, &unknownProviderError{named, ids}
}

// writesLock refuses --locked for a command whose purpose is to write the lock file.
func (a *app) writesLock(command string) error {
	if a.grammar.Locked != nil && *a.grammar.Locked {
		return &usageError{"--locked: provider " + command + " writes " + lock.FileName, "leave --locked out"}
	}
	return nil
}
