package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type policyLearnCmd struct {
	Command   string   `arg:"" optional:"" enum:"dev,build," default:"" help:"dev or build."`
	Allow     bool     `help:"During the run, allow everything that the project's policy could allow."`
	From      string   `placeholder:"FILE" help:"Learn from the audit log in FILE; nothing is run."`
	Out       string   `placeholder:"FILE" help:"Write the policy to FILE, or add to the one in FILE."`
	Sensitive []string `sep:"none" placeholder:"PATTERN" help:"Also learn the sensitive files that match PATTERN, such as .env; repeatable."`
	Tag       []string `sep:"none" placeholder:"REF" help:"build: reference of the image; repeatable; default as for build."`
	Push      bool     `help:"build: also push the image to its registry."`
	builderFlags
	progressFlag
	recordFlags
}

func (policyLearnCmd) Help() string {
	return `Runs a command and writes the least policy that allows its calls, each command word
for word, and that confines its commands to the files and ports they used. Commands
get the variables that they get under a policy, not your whole environment. Ceilings
are enforced. If the file of --out has a policy, missing rules are added and printed.
Sensitive files, such as .env, keys and .git, are printed and not learnt.

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
	observed, s, err := c.observe(ctx, a)
	if err != nil && len(observed.Claims) == 0 {
		return err
	}
	return learning{c, a, observed, c.options(a, s)}.finish(context.WithoutCancel(ctx), out, err)
}

// check finds errors in the flags, before anything runs.
func (c policyLearnCmd) check(a *app) error {
	if (c.Command == "") == (c.From == "") {
		return &usageError{"say what to learn from: dev, build, or --from FILE", ""}
	}
	if c.From != "" && c.Allow {
		return &usageError{"--allow has no effect with --from, which runs no command", ""}
	}
	if err := c.checkUnused(a); err != nil {
		return err
	}
	if err := learn.Named(c.Sensitive); err != nil {
		return &usageError{"--sensitive: " + err.Error(), "name a path of the project, such as .env, or a pattern, such as \"certs/**\""}
	}
	return nil
}

// checkUnused finds flags of build without build, and flags of a run with --from.
func (c policyLearnCmd) checkUnused(a *app) error {
	var given []string
	if c.Command != session.CommandBuild {
		// A variable that is set and empty is reported by the run.
		settings, _ := c.settings(a, further(c.Tag))
		settings.Progress = c.Progress
		for _, flag := range settings.Flags() {
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
		return &usageError{"--audit and --sarif have no effect with --from, which runs no command", "leave the flag out"}
	}
	if all := a.grammar; c.From != "" && (all.Config != "" || all.Directory != "." || len(all.Policy) > 0) {
		return &usageError{"--directory, --config and --policy have no effect with --from, which runs no command", "leave the flag out"}
	}
	if c.From != "" && a.limits != (sandbox.Limits{}) {
		return &usageError{"--provider-load-time and --provider-load-memory have no effect with --from, which runs no command", "leave the flag out"}
	}
	return nil
}

// options returns what is known of the project; s is nil for an audit log.
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

// terminals returns the names of the user's terminal, if there is one.
func terminals(streams ...*os.File) []string {
	var names []string
	for _, f := range streams {
		if f == nil || !term.IsTerminal(int(f.Fd())) {
			continue
		}
		names = append(names, "/dev/tty")
		// Programs search its directory for the terminal's name.
		if name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd())); err == nil {
			names = append(names, name, filepath.Dir(name))
		}
	}
	return names
}

// observe makes the run, or reads the audit log: s is nil then.
func (c policyLearnCmd) observe(ctx context.Context, a *app) (observed session.Learnt, s *session.Session, err error) {
	if c.From != "" {
		observed.Claims, err = a.allowedClaims(c.From)
		return observed, nil, err
	}
	err = c.recorded(ctx, a, "policy learn "+c.Command, func(opts session.Options) (err error) {
		// Standard output is for the policy only.
		opts.Stdout = a.Stderr
		if opts.Builds, err = c.settings(a, further(c.Tag)); err != nil {
			return err
		}
		c.complete(a, &opts.Builds)
		if s, err = a.open(opts); err != nil {
			return err
		}
		observed, err = s.Learn(ctx, c.Command, session.BuildOptions{Tag: first(c.Tag), Push: c.Push}, c.Allow)
		return err
	})
	return observed, s, err
}

// allowedClaims returns the allowed claims in an audit log.
func (a *app) allowedClaims(file string) ([]capability.Claim, error) {
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

// outFile is the file of --out, as it was before the run.
type outFile struct {
	path   string // empty for standard output
	before []byte // nil if the file did not exist
}

// openOut reads the file of --out, and checks that it can be written.
func openOut(path string) (outFile, error) {
	out := outFile{path: path}
	if path == "" {
		return out, nil
	}
	refuse := func(message, hint string) (outFile, error) {
		return out, &usageError{"--out: " + message, hint}
	}
	info, err := os.Stat(path)
	switch _, linkErr := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist) && linkErr == nil:
		return refuse(path+" is a link to a file that does not exist", "remove the link, or name another file")
	case errors.Is(err, fs.ErrNotExist):
		return out, checkWritable(path)
	case err != nil:
		return refuse(err.Error(), "")
	case info.IsDir():
		return refuse(path+" is a directory, expected a file", "")
	case !info.Mode().IsRegular():
		return refuse(path+" is not a regular file", "leave out --out to print the policy")
	}
	if out.before, err = readFile(path); err != nil {
		return out, fmt.Errorf("--out: %w", err)
	}
	if _, err := capability.Parse(path, out.before); err != nil {
		return refuse(fmt.Sprintf("%s is not a valid policy: %v", path, err), "correct it, or name another file")
	}
	return out, checkWritable(path)
}

// checkWritable checks that a file can be written, and changes nothing.
func checkWritable(path string) error {
	f, err := safefile.Open(path, os.O_WRONLY)
	if err == nil {
		f.Close()
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		var staged *atomicfile.File
		if staged, err = atomicfile.Create(path); err == nil {
			staged.Discard()
			return nil
		}
	}
	return &usageError{"--out: " + err.Error(), "name a file in a directory that you can write to"}
}
