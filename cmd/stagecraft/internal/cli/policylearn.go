package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
	"github.com/stagecraft-dev/stagecraft/runtime/wholefile"
	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

type policyLearnCmd struct {
	Command string   `arg:"" optional:"" enum:"dev,build," default:"" help:"dev or build."`
	Allow   bool     `help:"Allow everything meanwhile that the project's policy could allow."`
	From    string   `placeholder:"FILE" help:"Learn from the audit log in FILE; nothing is run."`
	Out     string   `placeholder:"FILE" help:"Write the policy to FILE."`
	Tag     []string `sep:"none" placeholder:"REF" help:"build: reference of the image; repeatable; default as for build."`
	Push    bool     `help:"build: send the image to its registry as well."`
	builderFlags
	progressFlag
	recordFlags
}

func (policyLearnCmd) Help() string {
	return `Runs a command and writes the least policy that allows what it did, each command
word by word, and what files and ports its commands used, to which it confines
them. What the command runs gets the variables that it gets under a policy, not
your whole environment. Ceilings hold.

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
	did, root, err := c.did(ctx, a)
	if err != nil && len(did.Claims) == 0 {
		return err
	}
	learnt, lerr := learn.Policy(did.Claims, did.Used, folderOf(root))
	if lerr != nil {
		return errors.Join(err, lerr)
	}
	for _, left := range learnt.Left {
		a.printer.warning(fmt.Sprintf("no policy can allow %s: %s", left.Claim, left.Reason))
	}
	warnOfUsed(a, did.Used, learnt.Outside)
	return errors.Join(err, c.write(a, learnt.Policy))
}

// warnOfUsed tells what of the things that commands used the policy doesn't say.
func warnOfUsed(a *app, used learn.Commands, outside []string) {
	for _, provider := range slices.Sorted(maps.Keys(used)) {
		for _, reason := range used[provider].Missed {
			a.printer.warning("not all is learnt of what commands use: " + reason)
		}
	}
	if len(outside) == 0 {
		return
	}
	const most = 10
	said := strings.Join(yamldoc.Words(outside[:min(len(outside), most)]), ", ")
	if more := len(outside) - most; more > 0 {
		said += fmt.Sprintf(" and %d more", more)
	}
	a.printer.warning("commands used what is outside of the project, and no policy can allow it: " + said +
		"; a run under the policy shows whether they work without")
}

// did is what was done, and the project folder, where there is one.
func (c policyLearnCmd) did(ctx context.Context, a *app) (did session.Learnt, root string, err error) {
	if c.From != "" {
		did.Claims, err = a.claimsOf(c.From)
		return did, "", err
	}
	err = c.recorded(ctx, a, "policy learn "+c.Command, func(opts session.Options) (err error) {
		// Standard output is for the policy alone.
		opts.Stdout = a.Stderr
		if opts.Builds, err = c.builds(a, further(c.Tag)); err != nil {
			return err
		}
		c.carriedOut(a, &opts.Builds)
		s, err := a.open(opts)
		if err != nil {
			return err
		}
		root = s.Config().Root
		did, err = s.Learn(ctx, c.Command, session.BuildOptions{Tag: first(c.Tag), Push: c.Push}, c.Allow)
		return err
	})
	return did, root, err
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
	if policy, err = learn.KeepAccepted(string(before), policy); err != nil {
		return fmt.Errorf("--out: %s: %w", c.Out, err)
	}
	if err := wholefile.Write(c.Out, []byte(policy)); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}
