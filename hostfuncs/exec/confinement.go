package exec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// Confinement restricts and limits the commands of a run. Nil does neither.
type Confinement struct {
	opts    ConfinementOptions
	rules   *confine.Rules // nil for none
	by      []string       // the policies that confine
	temp    *tempDir       // the directory for temporary files, nil for the shared one
	support confine.Support
	// directories must exist before a command starts: it may write to them, and a
	// path that does not exist allows nothing.
	directories []string
	each        []confine.Rules // of each policy in by
	failed      atomic.Bool     // a confined command exited with a code other than 0
	singles     singleFiles
	watch       *watch // nil if uses are not recorded
}

// ConfinementOptions are the parts of a confinement.
type ConfinementOptions struct {
	Project *files.Project
	// Environ is the host's environment, and Passed the part that commands get. Only
	// these determine the directories of toolchains, never what a provider sets.
	Environ, Passed []string
	// Policies all confine commands, and Limits limit them.
	Policies []capability.Confinement
	Limits   capability.Limits
	// Watch records what commands use, for [Confinement.Used]. As confined ones, they
	// get a separate directory for temporary files.
	Watch bool
	// Idle says that no command will run, so that there is no directory for temporary
	// files.
	Idle bool
	// Replaced, if set, is called by another goroutine if a file that a rule names was
	// replaced after a running command started.
	Replaced func(error)
}

// NewConfinement returns the confinement of a run's commands. It has to be closed.
func NewConfinement(opts ConfinementOptions) (*Confinement, error) {
	c := &Confinement{opts: opts}
	if len(opts.Policies) > 0 {
		c.support = confine.Probe()
	}
	if opts.Watch {
		c.watch = &watch{uses: make(map[confine.Use]bool)}
	}
	hasFiles := slices.ContainsFunc(opts.Policies, func(p capability.Confinement) bool { return p.Files != nil })
	if !opts.Idle && (opts.Watch || hasFiles && c.support.Landlock >= confine.FilesABI) {
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

// Close removes the temporary files of the run. Closing nil does nothing.
func (c *Confinement) Close() error {
	if c == nil || c.temp == nil {
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

// Environ returns an environment with the run's directory for temporary files.
func (c *Confinement) Environ(env []string) []string {
	if c.tempPath() == "" {
		return env
	}
	return append(slices.Clone(env), "TMPDIR="+c.tempPath())
}

// Confined reports whether files, ports or sockets are restricted.
func (c *Confinement) Confined() bool { return c != nil && c.rules != nil }

// FailedUnder returns the policies that confine commands, if a command has exited with
// a code other than 0. The kernel does not say whether a denial was the reason.
func (c *Confinement) FailedUnder() []string {
	if c == nil || !c.failed.Load() {
		return nil
	}
	return c.by
}

// Missing says what this system cannot enforce, one a line.
func (c *Confinement) Missing() []string {
	if !c.Confined() {
		return nil
	}
	return c.rules.Missing(c.support)
}

// apply confines a command and creates the directories that it may write to, or watches
// it. A command may always run its own program, which was decided on.
func (c *Confinement) apply(cmd *process.Command, program string) error {
	if c == nil {
		return nil
	}
	cmd.Limits = process.Limits{OpenFiles: c.opts.Limits.OpenFiles, Processes: c.opts.Limits.Processes}
	cmd.Confine = c.rules
	if c.rules != nil {
		if err := c.makeDirectories(); err != nil {
			return abi.Errorf(abi.CodeFailed, "make a directory that commands may write to: %v", err)
		}
	}
	c.watch.watched(cmd, program)
	return nil
}

// String describes the confinement for audit logs and the user.
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
