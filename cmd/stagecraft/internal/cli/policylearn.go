package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
	"github.com/stagecraft-dev/stagecraft/runtime/wholefile"
)

type policyLearnCmd struct {
	Command string `arg:"" optional:"" enum:"dev,build," default:"" help:"dev or build."`
	Allow   bool   `help:"Allow everything meanwhile that the project's policy could allow."`
	From    string `placeholder:"FILE" help:"Learn from the audit log in FILE; nothing is run."`
	Out     string `placeholder:"FILE" help:"Write the policy to FILE."`
	Tag     string `placeholder:"REF" help:"build: reference of the image; default as for build."`
	Push    bool   `help:"build: send the image to its registry as well."`
	recordFlags
}

func (policyLearnCmd) Help() string {
	return `Runs a command and writes the least policy that allows what it did, each command
word by word. What the command runs gets the variables that it gets under a
policy, not your whole environment. Ceilings hold.

Examples:
  stagecraft policy learn build
  stagecraft policy learn dev --allow --out stagecraft.policy.yml
  stagecraft policy learn --from audit.jsonl`
}

// Run is called by kong.
func (c policyLearnCmd) Run(ctx context.Context, a *app) error {
	if (c.Command == "") == (c.From == "") {
		return &usageError{"say what to learn from: dev, build, or --from FILE", "see stagecraft policy learn --help"}
	}
	claims, root, err := c.claims(ctx, a)
	if err != nil && len(claims) == 0 {
		return err
	}
	learnt, lerr := learn.Policy(claims, folderOf(root))
	if lerr != nil {
		return errors.Join(err, lerr)
	}
	for _, left := range learnt.Left {
		a.printer.warning(fmt.Sprintf("no policy can allow %s: %s", left.Claim, left.Reason))
	}
	return errors.Join(err, c.write(a, learnt.Policy))
}

// claims are what was allowed, and the project folder, where there is one.
func (c policyLearnCmd) claims(ctx context.Context, a *app) (claims []capability.Claim, root string, err error) {
	if c.From != "" {
		claims, err = a.claimsOf(c.From)
		return claims, "", err
	}
	err = c.recorded(ctx, a, "policy learn "+c.Command, func(opts session.Options) error {
		// Standard output is for the policy alone.
		opts.Stdout = a.Stderr
		s, err := a.open(opts)
		if err != nil {
			return err
		}
		root = s.Config().Root
		claims, err = s.Learn(ctx, c.Command, session.BuildOptions{Tag: c.Tag, Push: c.Push}, c.Allow)
		return err
	})
	return claims, root, err
}

// claimsOf are the claims that an audit log's runs were allowed.
func (a *app) claimsOf(file string) ([]capability.Claim, error) {
	var claims []capability.Claim
	report, err := audit.Read(file, func(r audit.Record) error {
		if r.Type != audit.TypeCall || r.Decision != audit.Allowed {
			return nil
		}
		claim, err := capability.ParseClaim(r.Claim)
		if err != nil {
			return fmt.Errorf("call %d of run %s: %w", r.Call, r.Run, err)
		}
		claims = append(claims, claim)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, f := range report.Findings {
		a.printer.warning(file + ": " + f.String())
	}
	return claims, nil
}

// folderOf lists the regular files of a project's folders.
func folderOf(root string) learn.Folder {
	if root == "" {
		return nil
	}
	return func(dir string) ([]string, error) {
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
		var names []string
		for _, e := range entries {
			if e.Type().IsRegular() {
				names = append(names, e.Name())
			}
		}
		return names, err
	}
}

// write writes the policy, but not over one that was written by hand.
func (c policyLearnCmd) write(a *app, policy string) error {
	if c.Out == "" {
		return a.printer.result(policy)
	}
	before, err := readLimited(c.Out)
	if _, serr := os.Lstat(c.Out); !errors.Is(serr, fs.ErrNotExist) && (err != nil || !strings.HasPrefix(string(before), learn.Header)) {
		return fmt.Errorf("--out: %s is there already, and was not learnt: write to another file and compare the two", c.Out)
	}
	if err := wholefile.Write(c.Out, []byte(policy)); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}
