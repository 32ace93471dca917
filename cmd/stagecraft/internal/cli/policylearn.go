package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type policyLearnCmd struct {
	Command   string   `arg:"" optional:"" enum:"dev,build," default:"" help:"dev or build."`
	Allow     bool     `help:"Allow everything meanwhile that the project's policy could allow."`
	From      string   `placeholder:"FILE" help:"Learn from the audit log in FILE; nothing is run."`
	Out       string   `placeholder:"FILE" help:"Write the policy to FILE, or add to the one in FILE."`
	Sensitive []string `sep:"none" placeholder:"PATTERN" help:"Learn PATTERN too, such as .env, although it is sensitive; repeatable."`
	Tag       []string `sep:"none" placeholder:"REF" help:"build: reference of the image; repeatable; default as for build."`
	Push      bool     `help:"build: send the image to its registry as well."`
	builderFlags
	progressFlag
	recordFlags
}

func (policyLearnCmd) Help() string {
	return `Runs a command and writes the least policy that allows what it did, each command
word by word, and what files and ports its commands used, to which it confines
them. What the command runs gets the variables that it gets under a policy, not
your whole environment. Ceilings hold. A policy that is in the file of --out
already stays as it is: what it lacks is added and printed. Sensitive files, such
as .env, keys and .git, are printed and left out.

Examples:
  stagecraft policy learn build
  stagecraft policy learn dev --allow --out stagecraft.policy.yml
  stagecraft policy learn --from audit.jsonl`
}

// Run is called by kong.
func (c policyLearnCmd) Run(ctx context.Context, a *app) error {
	if err := c.check(a); err != nil {
		return err
	}
	out, err := openOut(c.Out)
	if err != nil {
		return err
	}
	did, s, err := c.did(ctx, a)
	if err != nil && len(did.Claims) == 0 {
		return err
	}
	return learning{cmd: c, app: a, did: did, options: c.options(a, s)}.finish(context.WithoutCancel(ctx), out, err)
}

// check finds what is wrong with the flags, before anything is run.
func (c policyLearnCmd) check(a *app) error {
	if (c.Command == "") == (c.From == "") {
		return &usageError{"say what to learn from: dev, build, or --from FILE", ""}
	}
	if c.From != "" && c.Allow {
		return &usageError{"--allow is for a command that is run, and --from runs none", ""}
	}
	if err := c.checkGiven(a.grammar); err != nil {
		return err
	}
	if err := learn.Named(c.Sensitive); err != nil {
		return &usageError{"--sensitive: " + err.Error(), "name a path of the project, such as .env, or a pattern, such as \"certs/**\""}
	}
	return nil
}

// checkGiven finds flags of another way to learn: those of build, and those of a
// run where none is made.
func (c policyLearnCmd) checkGiven(all grammar) error {
	var given []string
	if c.Command != session.CommandBuild {
		builds := session.BuildSettings{
			Engine: c.Engine, EngineCerts: c.EngineCerts, Tags: further(c.Tag), Platforms: c.Platform, Outputs: c.Output, Bases: c.Base,
			Load: c.Load, NoCache: c.NoCache, Pull: c.Pull, Progress: c.Progress,
		}
		for _, flag := range builds.Flags() {
			given = append(given, strings.TrimPrefix(flag.Name, "a second "))
		}
		if len(c.Tag) == 1 {
			given = append(given, "--tag")
		}
		if c.Push {
			given = append(given, "--push")
		}
		if c.Engine == session.EngineAuto {
			given = append(given, "--engine")
		}
	}
	if len(given) > 0 {
		return &usageError{strings.Join(given, ", ") + ": only for policy learn build", "leave the flag out"}
	}
	if c.From != "" && (c.Audit != "" || c.Sarif != "") {
		return &usageError{"--audit and --sarif are for a command that is run, and --from runs none", "leave the flag out"}
	}
	if c.From != "" && (all.Config != "" || all.Directory != "." || len(all.Policy) > 0) {
		return &usageError{"--directory, --config and --policy are for a command that is run, and --from runs none", "leave the flag out"}
	}
	return nil
}

// options are what is known of the project; s is nil for a log.
func (c policyLearnCmd) options(a *app, s *session.Session) learn.Options {
	o := learn.Options{Sensitive: c.Sensitive, Terminals: terminals(os.Stdin, a.Stdout, a.Stderr)}
	if s == nil {
		return o
	}
	root := s.Config().Root
	o.Project, o.Directories, o.InForce = os.DirFS(root), c.Command == session.CommandDev, s.Policy()
	for _, file := range []string{c.Out, c.Audit, a.grammar.Config} {
		abs, err := filepath.Abs(file)
		if rel, relErr := filepath.Rel(root, abs); file != "" && err == nil && relErr == nil && filepath.IsLocal(rel) {
			o.Own = append(o.Own, filepath.ToSlash(rel))
		}
	}
	return o
}

// terminals are the files of the user's terminal, if we have one.
func terminals(streams ...*os.File) []string {
	var names []string
	for _, f := range streams {
		if f == nil || !term.IsTerminal(int(f.Fd())) {
			continue
		}
		names = append(names, "/dev/tty")
		// Programs look for the terminal's name in its directory.
		if name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd())); err == nil {
			names = append(names, name, filepath.Dir(name))
		}
	}
	return names
}

// did is what was done, and the session that it was done in, where there was one.
func (c policyLearnCmd) did(ctx context.Context, a *app) (did session.Learnt, s *session.Session, err error) {
	if c.From != "" {
		did.Claims, err = a.claimsOf(c.From)
		return did, nil, err
	}
	err = c.recorded(ctx, a, "policy learn "+c.Command, func(opts session.Options) (err error) {
		// Standard output is for the policy alone.
		opts.Stdout = a.Stderr
		if opts.Builds, err = c.builds(a, further(c.Tag)); err != nil {
			return err
		}
		c.carriedOut(a, &opts.Builds)
		if s, err = a.open(opts); err != nil {
			return err
		}
		did, err = s.Learn(ctx, c.Command, session.BuildOptions{Tag: first(c.Tag), Push: c.Push}, c.Allow)
		return err
	})
	return did, s, err
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
			return fmt.Errorf("%s: call %d of run %s: %w", file, r.Call, r.Run, err)
		}
		claims = append(claims, claim)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, f := range report.Findings {
		a.printer.warning(file + ": " + f.String())
	}
	return claims, nil
}
