// Package capability decides what a provider may do. It is pure: a [Claim]
// says what would really be done, a [Policy] what is allowed, and [Decide]
// compares them. There is no clock, file system, environment or log in it.
package capability

import (
	"strconv"
	"strings"
	"unicode"
)

// Claim is what one call needs to be allowed. An operation makes it of what
// will really be done, not of what was asked for. One that has nothing in it,
// or anything that is not as the fields say, is denied.
type Claim struct {
	// Operation is a name of the ABI's, such as exec; Provider is the ID of
	// the one that calls. Both are filled in by the gate.
	Operation string
	Provider  string
	Exec      *Exec
	Env       []EnvUse
	Files     []FileUse
	Build     *Build
	// Log is a message to the user.
	Log bool
}

// Exec is a program that would run.
type Exec struct {
	Argv []string
	// Program is the absolute path of the file. It is empty when there is
	// none, and so nothing can run: the claim is then decided by where the
	// file would be, so that who may run it learns that it is missing.
	Program string
	// ProgramInProject is the file relative to the project folder, with
	// slashes and links resolved; empty when it is outside.
	ProgramInProject string
	// Dir is the folder, relative to the project folder; "." is the project.
	Dir string
}

// EnvKind is what would be done with a variable.
type EnvKind int

// The uses of a variable.
const (
	Set  EnvKind = iota // the provider gives it to a child, with a value of its own
	Pass                // the host's value reaches a child, unseen by the provider
	Look                // the provider learns whether it is set
)

// EnvUse is a variable that would be used.
type EnvUse struct {
	Name string
	Use  EnvKind
}

// FileKind is what would be done with a file.
type FileKind int

// The uses of a file.
const (
	Read FileKind = iota
	Write
)

// FileUse is a file that would be used. Path is relative to the project
// folder, with slashes and links resolved.
type FileUse struct {
	Path string
	Use  FileKind
}

// Build is an image that would be built. The paths are relative to the project
// folder, with slashes and links resolved.
type Build struct {
	Context    string
	Dockerfile string
	Tags       []string
	Args       []string // names
	Target     string
	Network    string // "", none, default or host; "" is default
	Push       bool
}

// String says in a line what is asked for.
func (c Claim) String() string {
	said := []string{c.Operation}
	if c.Exec != nil {
		said = append(said, c.Exec.words()...)
	}
	if b := c.Build; b != nil {
		said = append(said, quoteWord(b.Context), "as", quoteList(b.Tags))
		if b.Push {
			said = append(said, "and push it")
		}
	}
	for _, f := range c.Files {
		said = append(said, quoteWord(f.Path))
	}
	if names := c.envNames(); names != "" {
		said = append(said, "with "+names)
	}
	return strings.Join(said, " ")
}

func (c Claim) envNames() string {
	var names []string
	for _, e := range c.Env {
		names = append(names, e.Name)
	}
	return quoteList(names)
}

func (x *Exec) words() []string {
	said := []string{quoteWords(x.Argv)}
	if x.Program != "" && len(x.Argv) > 0 && x.Program != x.Argv[0] {
		said = append(said, "("+quoteWord(x.Program)+")")
	}
	if x.Dir != "." {
		said = append(said, "in "+quoteWord(x.Dir))
	}
	return said
}

// quoteWords writes words so that one can see where each ends.
func quoteWords(words []string) string { return strings.Join(quoteEach(words), " ") }

func quoteList(words []string) string { return strings.Join(quoteEach(words), ", ") }

func quoteEach(words []string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = quoteWord(word)
	}
	return out
}

// quoteWord keeps what a provider says from steering the user's terminal.
func quoteWord(word string) string {
	if word == "" || strings.ContainsFunc(word, func(r rune) bool {
		return r == ' ' || r == '"' || r == unicode.ReplacementChar || !unicode.IsPrint(r)
	}) {
		return strconv.Quote(word)
	}
	return word
}
