package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

// Confinement is what the commands of a run are held to once they run. Nil
// holds them to nothing.
type Confinement struct {
	project *files.Project
	rules   *confine.Rules // nil for none
	by      []string       // the policies that say so
	temp    *tempDir       // the directory for temporary files, nil for the common one
	limits  process.Limits
	time    time.Duration
	output  uint64 // bytes
	support confine.Support
	// directories are those that commands may write to and couldn't make, since a
	// path that isn't there allows nothing.
	directories []string
	environ     []string        // the host's
	passed      []string        // what of it commands get
	each        []confine.Rules // of each policy in by
	failed      atomic.Bool     // a confined command exited with a code other than 0
	singles     singleFiles
	watch       *watch // nil where nobody wants to know what commands use
}

// ConfinementOptions are what a confinement is made of.
type ConfinementOptions struct {
	Project *files.Project
	// Environ is the host's environment, and Passed what commands get of it. Only
	// these lead to the directories of toolchains, never what a provider sets.
	Environ, Passed []string
	// Policies confine commands, all of them, and Limits limit them.
	Policies []capability.Confinement
	Limits   capability.Limits
	// Watch records what commands use, for [Confinement.Used]. They get a directory
	// for temporary files of their own, as confined ones do.
	Watch bool
	// Replaced, if set, is told while a command runs of files that rules name one by
	// one and that were replaced since it started. It is called by another goroutine.
	Replaced func(error)
}

// NewConfinement returns the confinement of a run's commands, which has to be
// closed.
func NewConfinement(opts ConfinementOptions) (*Confinement, error) {
	c := &Confinement{
		project: opts.Project,
		limits:  process.Limits{OpenFiles: opts.Limits.OpenFiles, Processes: opts.Limits.Processes},
		time:    opts.Limits.Time, output: opts.Limits.Output,
		environ: opts.Environ, passed: opts.Passed,
		singles: singleFiles{warn: opts.Replaced},
	}
	if len(opts.Policies) > 0 {
		c.support = confine.Probe()
	}
	if opts.Watch {
		c.watch = &watch{uses: make(map[confine.Use]bool)}
	}
	hasFiles := slices.ContainsFunc(opts.Policies, func(p capability.Confinement) bool { return p.Files != nil })
	if opts.Watch || hasFiles && c.support.Landlock >= confine.FilesABI {
		var err error
		if c.temp, err = newTempDir(); err != nil {
			return nil, err
		}
	}
	if len(opts.Policies) > 0 {
		if err := c.gather(opts.Policies); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// gather joins what the policies say. Links are followed now and not when a
// command starts: an earlier one may have put them there.
func (c *Confinement) gather(policies []capability.Confinement) error {
	var directories []string
	for _, p := range policies {
		rules, made, err := c.policyRules(p, c.tempPath())
		if err != nil {
			return err
		}
		rules, directories = rules.Resolved(files.ResolveLinks), append(directories, made...)
		c.each = append(c.each, rules)
		if c.rules != nil {
			rules = rules.And(*c.rules)
		}
		c.rules, c.by = &rules, append(c.by, p.Policy)
	}
	for _, directory := range directories {
		if target, err := files.ResolveLinks(directory); err == nil && slices.Contains(c.rules.Write, target) {
			c.directories = append(c.directories, target)
		}
	}
	c.findSingles(policies)
	return nil
}

// Close removes the temporary files of the run.
func (c *Confinement) Close() error {
	if c.temp == nil {
		return nil
	}
	return c.temp.remove()
}

func (c *Confinement) tempPath() string {
	if c == nil || c.temp == nil {
		return ""
	}
	return c.temp.path
}

// Environ is an environment with the directory for temporary files of the run.
func (c *Confinement) Environ(env []string) []string {
	if c.tempPath() == "" {
		return env
	}
	return append(slices.Clone(env), "TMPDIR="+c.tempPath())
}

// Confined reports whether commands are held to files, ports or sockets.
func (c *Confinement) Confined() bool { return c != nil && c.rules != nil }

// FailedUnder are the policies by which a command was confined that exited with a
// code other than 0, none where no confined command did. The kernel does not say
// whether a denial was the reason.
func (c *Confinement) FailedUnder() []string {
	if c == nil || !c.failed.Load() {
		return nil
	}
	return c.by
}

// Missing tells, a line each, what of that this system can't do.
func (c *Confinement) Missing() []string {
	if !c.Confined() {
		return nil
	}
	return c.rules.Missing(c.support)
}

// hold puts into a command what it is held to, and makes the directories for it, or has
// it watched. Its own program it may always run: that was decided on.
func (c *Confinement) hold(cmd *process.Command, program string) error {
	if c == nil {
		return nil
	}
	cmd.Limits = c.limits
	if c.rules == nil {
		c.watch.watched(cmd, program)
		return nil
	}
	if err := c.makeDirectories(); err != nil {
		return abi.Errorf(abi.CodeFailed, "make a directory that commands may write to: %v", err)
	}
	cmd.Confine = c.rules
	c.watch.watched(cmd, program)
	return nil
}

// makeDirectories makes those in the project without following a link: an earlier
// command may have put one there.
func (c *Confinement) makeDirectories() error {
	root, err := os.OpenRoot(c.project.Root())
	if err != nil {
		return err
	}
	defer root.Close()
	for _, directory := range c.directories {
		if rel, inside := c.project.Rel(directory); inside {
			err = root.MkdirAll(filepath.FromSlash(rel), 0o755)
		} else {
			err = os.MkdirAll(directory, 0o755)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// run runs a command within the time and the output that it has; asked is a time
// that it may have at most, 0 for none.
//
// # Errors
//
// Those of [process.Run], and an [*abi.Error] where a limit ended it.
func (c *Confinement) run(ctx context.Context, cmd process.Command, asked time.Duration) (process.Result, error) {
	limit := asked
	var output *budget
	if c != nil {
		if c.time != 0 && (asked == 0 || c.time < asked) {
			limit = c.time
		}
		ctx, output = c.bound(ctx, &cmd)
	}
	if limit > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, limit)
		defer stop()
	}
	singles := c.lookAfter()
	res, err := process.Run(ctx, cmd)
	singles.close()
	if over := output.spent(cmd.Argv[0]); over != nil {
		return res, over
	}
	if res.TimedOut {
		return res, abi.Errorf(abi.CodeTimeout, "%s did not end within %v", cmd.Argv[0], limit)
	}
	if cmd.Confine != nil && err == nil && res.ExitCode != 0 && !res.Interrupted {
		c.failed.Store(true)
	}
	return res, err
}

// String says what is in force, as it is told in records and to the user.
func (c *Confinement) String() string {
	if !c.Confined() {
		return "none"
	}
	said := []string{"any file", "any port"}
	if r := c.rules; !r.AnyFiles {
		said[0] = fmt.Sprintf("%d directories and files to read, %d to write", len(r.Read)+len(r.Exec), len(r.Write))
		if len(r.List) > 0 {
			said[0] += fmt.Sprintf(", %d to list", len(r.List))
		}
	}
	if r := c.rules; !r.AnyNet {
		said[1] = "TCP ports: " + portWords(r.AnyConnect, r.Connect) + " to connect to, " + portWords(r.AnyListen, r.Listen) + " to listen on"
	}
	if len(c.rules.Sockets) > 0 {
		said = append(said, "sockets: "+strings.Join(c.rules.Sockets, ", "))
	}
	by := fmt.Sprintf("by Landlock %d", c.support.Landlock)
	if c.support.Seccomp {
		by += " and seccomp"
	}
	if missing := c.Missing(); len(missing) > 0 {
		by += ", without " + strings.Join(missing, "; ")
	}
	return strings.Join(said, "; ") + " (" + by + ")"
}

func portWords(all bool, ports []uint16) string {
	switch {
	case all:
		return "all"
	case len(ports) == 0:
		return "none"
	case len(ports) > 8:
		return fmt.Sprint(len(ports))
	}
	return strings.Trim(fmt.Sprint(ports), "[]")
}

// rules are one policy's, and the directories that they take to be there. Whatever it
// says, a program needs the directories of the system to run at all.
func (c *Confinement) policyRules(p capability.Confinement, temp string) (r confine.Rules, directories []string, err error) {
	r = confine.Rules{
		AnyFiles: p.Files == nil, AnyNet: p.Net == nil, BestEffort: p.Mode == capability.ConfineBestEffort,
	}
	at := c.surroundings(temp)
	for _, name := range append([]string{"base"}, p.Use...) {
		profile, err := confine.Profile(name, at)
		if err != nil {
			return r, nil, err
		}
		directories = append(directories, confine.Caches(name, at)...)
		profile.BestEffort = r.BestEffort
		r = r.With(profile)
	}
	if p.Files != nil {
		// What may be read may be run: an interpreter would run it anyway.
		r.Exec = append(r.Exec, c.subtrees(p.Files.Read)...)
		write := c.subtrees(p.Files.Write)
		r.Exec, r.Write = append(r.Exec, write...), append(r.Write, write...)
		r.List = append(r.List, c.subtrees(p.Files.List)...)
		directories = append(directories, missing(write)...)
	}
	if p.Net != nil {
		r.Connect, r.AnyConnect = portList(p.Net.Connect)
		r.Listen, r.AnyListen = portList(p.Net.Listen)
		// Whoever may reach any port needs names looked up for it.
		r.UDP = r.AnyConnect
		if len(r.Listen) > 0 && !slices.Contains(r.Listen, 0) {
			// A socket without a port is given one in any case.
			r.Listen = append(r.Listen, 0)
		}
	}
	if slices.Contains(p.Sockets, "docker") {
		r.Sockets = c.dockerSockets()
	}
	return r, directories, nil
}

func (c *Confinement) surroundings(temp string) confine.Surroundings {
	passed := func(name string) string {
		value, _ := values.Lookup(c.passed, name)
		return value
	}
	return confine.Surroundings{Home: passed("HOME"), Temp: temp, Env: passed}
}

// missing are those directories of some places that aren't there: a file would be.
func missing(places []string) []string {
	return slices.DeleteFunc(slices.Clone(places), func(place string) bool {
		_, err := os.Lstat(place)
		return err == nil
	})
}

// subtrees are the places in the project. A directory without all that is in it is
// nothing that the kernel could be told.
func (c *Confinement) subtrees(list []capability.Subtree) []string {
	var paths []string
	for _, s := range list {
		abs, inside := c.resolved(s)
		if !inside {
			continue
		}
		if info, err := os.Lstat(abs); s.Below || err == nil && !info.IsDir() {
			paths = append(paths, abs)
		}
	}
	return paths
}

// resolved is a place without links, and whether it is inside the project: like a
// provider, commands must not be led out by a link.
func (c *Confinement) resolved(s capability.Subtree) (abs string, inside bool) {
	abs, err := files.ResolveLinks(filepath.Join(c.project.Root(), filepath.FromSlash(s.Path)))
	if err != nil {
		return "", false
	}
	_, inside = c.project.Rel(abs)
	return abs, inside
}

// portList gives single ports, or that it is all of them.
func portList(ranges []capability.Ports) (ports []uint16, all bool) {
	for _, p := range ranges {
		if p.All() {
			return nil, true
		}
		for port := p.Low; port <= p.High; port++ {
			ports = append(ports, uint16(port))
		}
	}
	return ports, false
}

// dockerSockets are where the user's engine is to be found.
func (c *Confinement) dockerSockets() []string {
	host, _ := values.Lookup(c.environ, "DOCKER_HOST")
	if path, ok := strings.CutPrefix(host, "unix://"); ok {
		return []string{filepath.Clean(path)}
	}
	return []string{"/var/run/docker.sock"}
}
