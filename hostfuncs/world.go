package hostfuncs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// World is what operations act on.
type World struct {
	// Root is the project directory: absolute, its links resolved.
	Root string
	// Environ is the host's environment, as "NAME=value". References and
	// env_status look there, and so does the search for a program whose
	// environment has no PATH.
	Environ []string
	// ChildEnv is what a child gets before the provider's own values.
	ChildEnv []string
	// Stdout and Stderr are where a child's streamed output goes; a file is
	// handed to the child as it is. A child whose output is streamed shares
	// this process's standard input.
	Stdout, Stderr io.Writer
	// Builds are what the user says of image builds.
	Builds BuildOptions
	// Provider is the ID of the provider that acts, and InputsDir a directory of
	// the user's where it is remembered with which inputs commands succeeded; where
	// it is empty, nothing is.
	Provider, InputsDir string
	// Own are files that this run itself reads or writes, such as its audit log:
	// absolute, their directories' links resolved. They are no part of a build's
	// context, whose contents they would change.
	Own []string
	// Log shows a provider's message, cleaned, to the user.
	Log func(level abi.Level, message string)
	// Pins tells whether a policy allows a command by the digest of its program,
	// which its claim then tells. Nil is that none does.
	Pins func(*capability.Exec) bool
	// Mask has the values that nobody is to be shown, and Warn tells of those
	// that are too short for it.
	Mask *redact.Set
	Warn func(error)
	// Colour marks the names of programs whose output is mixed.
	Colour bool
	// Confinement is what commands are held to once they run.
	Confinement *Confinement
	// Serves says that the run is one of a server: in a plan, what is started
	// then runs until the run is asked to end, where else it ends well.
	Serves bool
	// Grace is how long a child has to end after it was told to.
	Grace time.Duration

	passedOn, withheld []string // see PassOn

	processes processes
	screen    sync.Mutex // lines of several programs are printed whole
	hidden    hidden
}

// Interrupt returns the cause with which a context is cancelled to end what
// runs: the signal is passed on to it, and it is killed at once when kill is
// closed.
func Interrupt(sig os.Signal, kill <-chan struct{}) error {
	return process.NewInterrupted(sig, kill)
}

// PassSignal sends a signal to each program that runs, unless it got it with us from
// the terminal. It reports whether a program runs.
func PassSignal(sig os.Signal) bool {
	number, ok := sig.(syscall.Signal)
	return ok && process.Pass(number)
}

// Interactive reports whether a program runs that Ctrl-C is left to.
func Interactive() bool { return process.Interactive() }

// Operations binds all operations of the ABI to the world.
func (w *World) Operations() ([]Bound, error) {
	images := newBuilds(w)
	var bound []Bound
	for _, bind := range []func() (Bound, error){
		func() (Bound, error) { return Bind(execOp(w)) },
		func() (Bound, error) { return Bind(images.buildOp()) },
		func() (Bound, error) { return Bind(images.imageOp()) },
		func() (Bound, error) { return Bind(readFileOp(w)) },
		func() (Bound, error) { return Bind(statOp(w)) },
		func() (Bound, error) { return Bind(listOp(w)) },
		func() (Bound, error) { return Bind(envStatusOp(w)) },
		func() (Bound, error) { return Bind(logOp(w)) },
		func() (Bound, error) { return Bind(processStartOp(w)) },
		func() (Bound, error) { return Bind(processWaitOp(w)) },
		func() (Bound, error) { return Bind(processStopOp(w)) },
		func() (Bound, error) { return Bind(probeOp(w)) },
	} {
		b, err := bind()
		if err != nil {
			return nil, err
		}
		bound = append(bound, b)
	}
	return bound, nil
}

// lookupEnv finds a variable of the host's; the last of several counts.
func (w *World) lookupEnv(name string) (value string, ok bool) {
	for _, entry := range w.Environ {
		if n, v, found := strings.Cut(entry, "="); found && n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

func (w *World) getenv(name string) string {
	value, _ := w.lookupEnv(name)
	return value
}

// place is a path as it really is: links resolved, inside the project.
type place struct {
	abs  string // absolute
	rel  string // with slashes, relative to the project; "." is the project
	info os.FileInfo
	// missing is why there is nothing at the path, for after the decision.
	missing error
}

// maxPath is what a path has at most, in bytes, as on Linux. What is not there is
// looked for directory by directory, which takes time that grows with their square.
const maxPath = 4096

// locate resolves a path that a provider named. One that leaves the project
// directory, by its words or by a link, is an error.
func (w *World) locate(named string) (place, error) {
	switch {
	case len(named) > maxPath:
		return place{}, abi.Errorf(abi.CodeInvalid, "a path has %d bytes, at most %d are taken", len(named), maxPath)
	case strings.ContainsRune(named, 0):
		return place{}, abi.Errorf(abi.CodeInvalid, "path %q has a NUL byte", named)
	}
	lexical := filepath.FromSlash(named)
	if !filepath.IsAbs(lexical) {
		lexical = filepath.Join(w.Root, lexical)
	}
	abs, err := resolveLinks(filepath.Clean(lexical))
	rel, rerr := filepath.Rel(w.Root, abs)
	if err != nil || rerr != nil || !filepath.IsLocal(rel) {
		return place{}, &abi.Error{
			Code: abi.CodeInvalid, Message: w.outsideMessage(named, filepath.Clean(lexical)),
			Hint: "only what is below the project directory can be used",
		}
	}
	p := place{abs: abs, rel: filepath.ToSlash(rel)}
	if p.info, err = os.Lstat(abs); err != nil {
		p.missing = abi.Errorf(abi.CodeNotFound, "there is no %s in the project directory", quotePath(named))
	}
	return p, nil
}

// ofField says which field of a request an error is of.
func ofField(name string, err error) error {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		e.Field = name
	}
	return err
}

// outsideMessage says by which link of the project's a path leaves it. What is
// outside, and whether there is anything, is not for a provider to learn.
func (w *World) outsideMessage(named, lexical string) string {
	said := quotePath(named) + " leaves the project directory"
	if link := w.wayOut(lexical); link != "" {
		said += ": the link " + quotePath(link) + " leads to nothing in it"
	}
	return said
}

// wayOut is the link by which a path leaves the project directory, relative to it;
// empty where it does so by its words.
func (w *World) wayOut(path string) string {
	rel, err := filepath.Rel(w.Root, path)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	at := w.Root
	for name := range strings.SplitSeq(rel, string(filepath.Separator)) {
		at = filepath.Join(at, name)
		resolved, err := filepath.EvalSymlinks(at)
		if to, rerr := filepath.Rel(w.Root, resolved); err != nil || rerr != nil || !filepath.IsLocal(to) {
			link, _ := filepath.Rel(w.Root, at)
			return filepath.ToSlash(link)
		}
	}
	return ""
}

// resolveLinks is filepath.EvalSymlinks for paths whose end need not exist.
func resolveLinks(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err == nil {
		return resolved, nil
	}
	if _, lerr := os.Lstat(path); lerr == nil {
		// It is there, but what it leads to isn't.
		return "", err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path, nil
	}
	if parent, err = resolveLinks(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}
