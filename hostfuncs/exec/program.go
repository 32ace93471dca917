package exec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// programFile is the file of a program, opened once: this file is decided on, hashed and
// run. The zero value is none.
type programFile struct {
	file *process.Executable
	path string // as it was found, absolute
	at   string // with links resolved
}

// openProgram finds and opens a program, which has to be closed.
func (r *Runner) openProgram(name, dir string, env variables) (programFile, error) {
	path, err := r.lookProgram(name, dir, env)
	if err != nil {
		return programFile{}, err
	}
	file, err := process.OpenExecutable(path)
	if err != nil {
		return programFile{}, abi.Errorf(abi.CodeNotFound, "%v", err)
	}
	at, err := file.Path()
	if err != nil {
		_ = file.Close()
		return programFile{}, abi.Errorf(abi.CodeNotFound, "%v", err)
	}
	return programFile{file, path, at}, nil
}

func (p programFile) close() {
	if p.file != nil {
		_ = p.file.Close()
	}
}

// execClaim returns the claim of a command.
func (r *Runner) execClaim(argv []string, p programFile, dir files.Place) capability.Exec {
	x := capability.Exec{Argv: argv, Program: p.path, Dir: dir.Rel}
	if p.file == nil {
		return x
	}
	if p.at != p.path {
		x.Resolved = p.at
	}
	if rel, inside := r.opts.Project.Rel(p.at); inside {
		x.ProgramInProject = rel
	}
	x.Daemons = r.daemonsOf(p.path)
	if r.opts.Pins != nil && r.opts.Pins(&x) {
		x.SHA256, x.Writable = p.digest(), r.opts.Confinement.mayWrite(p.at)
	}
	return x
}

// mayWrite reports whether commands with restricted files may write to a file.
func (c *Confinement) mayWrite(path string) bool {
	return c.Confined() && !c.rules.AnyFiles && c.rules.Allows(confine.Use{Kind: confine.UseWrite, Path: path})
}

// lookProgram finds a program as a shell with the child's environment would, but only in
// absolute entries of PATH.
func (r *Runner) lookProgram(name, dir string, env variables) (string, error) {
	path, from, err := r.childPath(env)
	if err != nil {
		return "", err
	}
	program, err := process.LookPath(name, dir, path)
	if _, ok := errors.AsType[*process.NotFoundError](err); ok && from != "" && !strings.ContainsAny(name, `/\`) {
		// The provider must not learn its entries.
		err = errors.New(name + ": not found in the PATH from " + from)
	}
	if err != nil {
		return "", &abi.Error{Code: abi.CodeNotFound, Message: err.Error(), Hint: oneWordHint(name)}
	}
	return program, nil
}

// childPath returns the PATH of a command, by default the host's, and the variable or
// dotenv file that it is from. from is empty if the provider knows the value.
func (r *Runner) childPath(env variables) (path, from string, err error) {
	path = r.opts.Env.Get(pathVariable)
	for _, a := range r.assignments(env) {
		if a.Name != pathVariable {
			continue
		}
		text, ok := a.value.Text, true
		if a.value.Env != "" {
			if text, ok, err = r.opts.Env.Find(a.value); err != nil {
				return "", "", err
			}
		}
		// A reference without a value makes the command fail later. An empty PATH
		// counts only if the request sets it.
		if ok && (text != "" || a.By == hostfuncs.EnvProvider || a.By == hostfuncs.EnvFile) {
			path, from = text, a.From
		}
	}
	return path, from, nil
}

const pathVariable = "PATH"

// oneWordHint is for a whole command that was written as its first word.
func oneWordHint(name string) string {
	words := strings.Fields(name)
	if len(words) < 2 {
		return ""
	}
	for i, word := range words {
		words[i] = strconv.Quote(word)
	}
	return "a program and its arguments are the words of a list: [" + strings.Join(words, ", ") + "]"
}

// maxHashed is the largest program that is hashed, in bytes. A sparse file could
// otherwise take hours to read before the decision.
const maxHashed = 1 << 30

// digest is the SHA-256 of the file in hex, empty if it is unreadable or too large.
func (p programFile) digest() string {
	f, err := p.file.Read()
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxHashed {
		return ""
	}
	sum := sha256.New()
	// It may grow while it is read.
	if n, err := io.Copy(sum, io.LimitReader(f, maxHashed+1)); err != nil || n > maxHashed {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}
