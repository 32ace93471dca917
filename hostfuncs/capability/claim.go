// Package capability decides what a provider may do. It is pure: a [Claim]
// says what would really be done, a [Policy] what is allowed, and [Decide]
// compares them. There is no clock, file system, environment or log in it.
package capability

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Claim is what one call needs to be allowed. An operation makes it of what
// will really be done, not of what was asked for. One that has nothing in it,
// or anything that is not as the fields say, is denied.
//
// In JSON it is what an audit log keeps: [ParseClaim] reads it back.
type Claim struct {
	// Operation is a name of the ABI's, such as exec; Provider is the ID of
	// the one that calls. Both are filled in by the gate.
	Operation string    `json:"operation"`
	Provider  string    `json:"provider"`
	Exec      *Exec     `json:"exec,omitempty"`
	Env       []EnvUse  `json:"env,omitempty"`
	Files     []FileUse `json:"files,omitempty"`
	Build     *Build    `json:"build,omitempty"`
	Net       []NetUse  `json:"net,omitempty"`
	// Image is the reference of an image that would be looked for.
	Image string `json:"image,omitempty"`
	// Own is what the provider itself started, to be waited for or ended.
	Own bool `json:"own,omitempty"`
	// Log is a message to the user.
	Log bool `json:"log,omitempty"`
}

// Exec is a program that would run.
type Exec struct {
	Argv []string `json:"argv"`
	// Program is the absolute path of the file. It is empty when there is
	// none, and so nothing can run: the claim is then decided by where the
	// file would be, so that who may run it learns that it is missing.
	Program string `json:"program,omitempty"`
	// ProgramInProject is the file relative to the project directory, with
	// slashes and links resolved; empty when it is outside.
	ProgramInProject string `json:"program_in_project,omitempty"`
	// Resolved is the file that Program leads to by links, where it is one. What
	// denies that file denies the link.
	Resolved string `json:"resolved,omitempty"`
	// SHA256 is that of the program's file, in hex; empty when no policy pins
	// the program, since a file takes time to read.
	SHA256 string `json:"sha256,omitempty"`
	// Writable says that confined commands may write the program's file. It is
	// known where a policy pins the program.
	Writable bool `json:"writable,omitempty"`
	// Dir is the directory, relative to the project directory; "." is the project.
	Dir string `json:"dir"`
	// Daemons are commands of the same program that may keep running after the run.
	Daemons [][]string `json:"daemons,omitempty"`
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
	Name string  `json:"name"`
	Use  EnvKind `json:"use"`
	// From is the dotenv file that the variable stands in, or that refers to
	// it; its name is then not for the provider to learn.
	From string `json:"from,omitempty"`
}

// FileKind is what would be done with a file.
type FileKind int

// The uses of a file.
const (
	Read FileKind = iota
	Write
	Load // its variables are given to what runs, unseen by the provider
)

// FileUse is a file that would be used. Path is relative to the project
// directory, with slashes and links resolved.
type FileUse struct {
	Path string   `json:"path"`
	Use  FileKind `json:"use"`
}

// NetKind is what would be done with a port.
type NetKind int

// The uses of a port.
const (
	Connect NetKind = iota // the provider learns whether something listens on it
)

// NetUse is a TCP port of this machine's loopback that would be used, from 1 to
// 65535.
type NetUse struct {
	Port int     `json:"port"`
	Use  NetKind `json:"use"`
}

// String says in a line what is asked for.
func (c Claim) String() string {
	said := []string{c.Operation}
	if c.Exec != nil {
		said = append(said, c.Exec.words()...)
	}
	if c.Build != nil {
		said = append(said, c.Build.words()...)
	}
	for _, f := range c.Files {
		if f.Use != Load {
			said = append(said, yamldoc.Word(f.Path))
		}
	}
	if c.Image != "" {
		said = append(said, yamldoc.Word(c.Image))
	}
	for _, n := range c.Net {
		said = append(said, "port "+strconv.Itoa(n.Port))
	}
	if with := c.variables(); with != "" {
		said = append(said, "with "+with)
	}
	return strings.Join(said, " ")
}

// FromFiles tells whether the claim is of variables in a file which the provider
// may not be able to read. It is so for a file that isn't there, or has none:
// else it would be known from the answer that there is one.
func (c Claim) FromFiles() bool {
	return slices.ContainsFunc(c.Files, func(f FileUse) bool { return f.Use == Load })
}

// variables are the names of variables, and the files that have more of them.
func (c Claim) variables() string {
	var names, files, said []string
	for _, e := range c.Env {
		if e.From == "" {
			names = append(names, e.Name)
		}
	}
	for _, f := range c.Files {
		if f.Use == Load {
			files = append(files, f.Path)
		}
	}
	if names != nil {
		said = append(said, quoteList(names))
	}
	if files != nil {
		said = append(said, "the variables of "+quoteList(files))
	}
	return strings.Join(said, " and ")
}

func (x *Exec) words() []string {
	said := []string{quoteWords(x.Argv)}
	if x.Program != "" && len(x.Argv) > 0 && x.Program != x.Argv[0] {
		said = append(said, "("+yamldoc.Word(x.Program)+")")
	}
	if x.Dir != "." {
		said = append(said, "in "+yamldoc.Word(x.Dir))
	}
	for _, argv := range x.Daemons {
		said = append(said, "leaving "+quoteWords(argv))
	}
	return said
}

// quoteWords writes words so that one can see where each ends.
func quoteWords(words []string) string { return strings.Join(yamldoc.Words(words), " ") }

func quoteList(words []string) string { return strings.Join(yamldoc.Words(words), ", ") }
