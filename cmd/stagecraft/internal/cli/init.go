package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type initCmd struct {
	Yes        bool   `short:"y" help:"Take the first proposal, and write without asking."`
	Provider   string `placeholder:"ID" help:"Ask this provider alone."`
	NoPolicy   bool   `name:"no-policy" xor:"policies" help:"Write no policy: commands may use everything that you may."`
	OnlyPolicy bool   `name:"only-policy" xor:"policies" help:"Write a policy alone, for the stagecraft.yml that exists."`
}

func (initCmd) Help() string {
	return `Asks each trusted provider what it finds in the directory, shows the proposals, and
writes stagecraft.yml and a first policy. Nothing runs, and no file is replaced.

Examples:
  stagecraft init
  stagecraft init --yes -C services/shop
  stagecraft init --provider encore-ts
  stagecraft init --only-policy`
}

// Run is called by kong.
func (c initCmd) Run(ctx context.Context, a *app) error {
	b, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	if err := c.checkProvider(a); err != nil {
		return err
	}
	d, err := b.Detect(ctx, c.Provider)
	if err != nil {
		return err
	}
	c.reportUnasked(a, d)
	if len(d.Found) == 0 {
		return &hintedError{errNothingFound, "write " + config.FileName + " by hand:\n" + config.Smallest}
	}
	fmt.Fprint(a.printer.stderr, foundText(d.Found))
	found, err := c.choose(ctx, a, d.Found)
	if err != nil {
		return err
	}
	files, err := b.Files(found)
	if err != nil {
		return err
	}
	if c.NoPolicy || b.HasPolicy() {
		files.Policy = nil
	}
	fmt.Fprint(a.printer.stderr, filesText(b, files))
	if err := a.warnOfPolicy(b.Policy, files.Policy); err != nil {
		return err
	}
	if agreed, err := c.confirm(ctx, a); err != nil || !agreed {
		return err
	}
	if err := b.Write(ctx, files); err != nil {
		return existing(err)
	}
	return c.report(a, b, files, found)
}

var errNothingFound = errors.New("no provider found anything to run in this directory")

func (c initCmd) begin(ctx context.Context, a *app) (b *session.Beginning, err error) {
	opts := a.options()
	opts.MayLoad, opts.Confirm = a.loader(ctx), a.confirmer(ctx)
	if c.OnlyPolicy {
		b, err = session.Again(opts)
	} else {
		b, err = session.Begin(opts)
	}
	return b, existing(err)
}

// existing adds what to do about a file that exists.
func existing(err error) error {
	e, ok := errors.AsType[*session.ExistsError](err)
	if !ok {
		return err
	}
	hint := "to write only a policy for it, run: stagecraft init --only-policy"
	if filepath.Base(e.Path) == session.PolicyFile {
		hint = "to add what a run uses to it, run: stagecraft policy learn dev --out " + session.PolicyFile
	}
	return &hintedError{err, hint}
}

func (c initCmd) checkProvider(a *app) error {
	if c.Provider == "" {
		return nil
	}
	_, err := findSource(a, c.Provider)
	return err
}

// reportUnasked says which providers and files could not be looked at.
func (initCmd) reportUnasked(a *app, d session.Detection) {
	for _, id := range d.Untrusted {
		a.printer.warning("provider " + id + " is not trusted, so it is not asked")
	}
	if len(d.Denied) > 0 {
		first := d.Denied[0]
		a.printer.warning(fmt.Sprintf("policies denied %s: %s, such as %s: %s", first.Provider, counted(len(d.Denied), "read"), first.Claim.String(), strings.Join(first.Reasons(), "; ")))
	}
}

// foundText lists proposals.
func foundText(found []session.Detected) string {
	var b strings.Builder
	for i, f := range found {
		number := ""
		if len(found) > 1 {
			number = fmt.Sprintf("%d. ", i+1)
		}
		where := ""
		if f.Dir != "." {
			where = " in " + safeLine(f.Dir, 200)
		}
		fmt.Fprintf(&b, "%sfound: %s%s (%s, provider %s)\n", number, f.Name, where, f.Certainty, f.Provider.ID)
		for _, line := range f.Evidence {
			b.WriteString("  " + line + "\n")
		}
	}
	return b.String()
}

// choose returns the candidate that the user wants.
func (c initCmd) choose(ctx context.Context, a *app, found []session.Detected) (session.Detected, error) {
	if len(found) == 1 || !c.asks(a) {
		return found[0], nil
	}
	n, err := a.choose(ctx, "which one?", len(found))
	if err != nil {
		return session.Detected{}, err
	}
	return found[n-1], nil
}

// asks reports whether the user is asked.
func (c initCmd) asks(a *app) bool { return !c.Yes && a.atTerminal() && !a.locked() }

// confirm asks whether to write the files that were shown.
func (c initCmd) confirm(ctx context.Context, a *app) (bool, error) {
	switch {
	case c.Yes:
		return true, nil
	case !c.asks(a):
		return false, &usageError{"nothing was written: cannot ask without a terminal or with --locked", "to take the first proposal, add --yes"}
	}
	return a.ask(ctx, "write this?")
}

// filesText shows files before they are written.
func filesText(b *session.Beginning, f session.Files) string {
	var out strings.Builder
	for _, file := range []struct {
		path string
		data []byte
	}{{b.File, f.Config}, {b.Policy, f.Policy}} {
		if file.data != nil {
			fmt.Fprintf(&out, "\n%s:\n%s", safeLine(file.path, 1000), indent(string(file.data)))
		}
	}
	return out.String() + "\n"
}

// warnOfPolicy shows what "policy check" finds in a policy before it is written.
func (a *app) warnOfPolicy(file string, data []byte) error {
	if data == nil {
		return nil
	}
	policy, err := capability.Parse(file, data)
	if err != nil {
		return err
	}
	for _, f := range explain.Check(policy, session.DirectoriesBeside(file)) {
		if f.Severity != explain.SeverityNote {
			a.printer.warning(fmt.Sprintf("%s [%s]", f.Message, f.Name))
		}
	}
	return nil
}

// report says what was written, and what to do next.
func (c initCmd) report(a *app, b *session.Beginning, f session.Files, found session.Detected) error {
	var written []string
	for path, data := range map[string][]byte{b.File: f.Config, b.Policy: f.Policy} {
		if data != nil {
			written = append(written, "wrote "+safeLine(path, 1000)+"\n")
		}
	}
	slices.Sort(written)
	for _, note := range found.Notes {
		fmt.Fprintln(a.printer.stderr, "note: "+note)
	}
	if f.Policy == nil && !c.NoPolicy {
		fmt.Fprintln(a.printer.stderr, "note: "+safeLine(b.Policy, 1000)+" exists and was kept")
	}
	if _, err := os.Stat(b.Schema); f.Config != nil && err == nil {
		fmt.Fprintln(a.printer.stderr, "note: "+safeLine(b.Schema, 1000)+" is the schema for editors; commit it")
	}
	for _, first := range found.Before {
		fmt.Fprintln(a.printer.stderr, "first: "+first)
	}
	if f.Config != nil {
		fmt.Fprintln(a.printer.stderr, "next: stagecraft dev")
	}
	return a.printer.result(strings.Join(written, ""))
}
