package session

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
)

// Ceiling is a policy file from outside the project.
type Ceiling struct {
	// Path is the path as given. It is not cleaned: a ".." after a link leads up
	// from the link's target.
	Path string
	// SHA256 is the digest that the file must have, in hex. Empty allows any.
	SHA256 string
}

// pin separates a ceiling's path from its digest.
const pin = "@sha256:"

// ParseCeiling parses FILE or FILE@sha256:DIGEST. The text after the last "@sha256:"
// of a file's name is always a digest, so that a mistyped one is an error. A file with
// such a name has to be pinned.
func ParseCeiling(text string) (Ceiling, error) {
	at := strings.LastIndex(text, pin)
	if at >= 0 && strings.ContainsFunc(text[at:], isSeparator) {
		at = -1
	}
	c := Ceiling{Path: text}
	if at >= 0 {
		c = Ceiling{Path: text[:at], SHA256: text[at+len(pin):]}
	}
	switch {
	case c.Path == "":
		return c, fmt.Errorf("expected a file, got %q", text)
	case at >= 0 && (len(c.SHA256) != 64 || strings.Trim(c.SHA256, "0123456789abcdef") != ""):
		return c, fmt.Errorf("expected a SHA-256 of 64 digits in lower-case hex, got %q", c.SHA256)
	}
	return c, nil
}

func isSeparator(r rune) bool { return r < 0x80 && os.IsPathSeparator(uint8(r)) }

// ParseCeilings parses a list that is separated like PATH. A colon in a pin does not
// separate.
func ParseCeilings(list string) ([]Ceiling, error) {
	var ceilings []Ceiling
	words := filepath.SplitList(list)
	for i := 0; i < len(words); i++ {
		text := words[i]
		if os.PathListSeparator == ':' && strings.HasSuffix(text, strings.TrimSuffix(pin, ":")) && i+1 < len(words) {
			i++
			text += ":" + words[i]
		}
		c, err := ParseCeiling(text)
		if err != nil {
			return nil, err
		}
		ceilings = append(ceilings, c)
	}
	if len(ceilings) == 0 {
		return nil, fmt.Errorf("expected a file, got %q", list)
	}
	return ceilings, nil
}

// InProject says how to treat a ceiling that the project can change.
type InProject int

// The treatments of such a ceiling.
const (
	WarnInProject InProject = iota
	RefuseInProject
	AllowInProject
)

// ReadCeilings reads the ceilings of a run in the project at root, a path without
// links; empty outside of projects.
//
// # Errors
//
// yamldoc.Problems for ceilings that cannot or must not be used.
func ReadCeilings(opts Options, root string) ([]*capability.Policy, error) {
	var policies []*capability.Policy
	for _, c := range opts.Ceilings {
		if err := c.checkPlace(opts, root); err != nil {
			return nil, err
		}
		policy, err := c.read()
		if err != nil {
			return nil, err
		}
		policies = append(policies, policy)
	}
	return policies, nil
}

// name is the path in messages and records: absolute and clean, if that is the same
// file.
func (c Ceiling) name() string {
	abs, err := filepath.Abs(c.Path)
	if err != nil {
		return c.Path
	}
	given, err := os.Stat(c.Path)
	if err != nil {
		return abs
	}
	if clean, err := os.Stat(abs); err != nil || !os.SameFile(given, clean) {
		return c.Path
	}
	return abs
}

func (c Ceiling) read() (*capability.Policy, error) {
	data, err := config.ReadFile(c.Path)
	policy, err := parsePolicy(c.name(), data, err, capability.Ceiling)
	if err == nil && c.SHA256 != "" && policy.Digest != c.SHA256 {
		return nil, c.problem("the policy does not have the pinned digest: got sha256:"+policy.Digest,
			"if this is the intended policy, pin it to this digest")
	}
	return policy, err
}

func (c Ceiling) problem(message, hint string) error {
	return yamldoc.Problems{{Pos: yamldoc.Pos{File: c.name()}, Message: message, Hint: hint}}
}

// checkPlace refuses or reports a ceiling that is in the project and not pinned, since
// whoever can change the project can change it.
func (c Ceiling) checkPlace(opts Options, root string) error {
	if c.SHA256 != "" || opts.InProject == AllowInProject {
		return nil
	}
	step := stepInside(root, c.Path)
	if step == "" {
		return nil
	}
	said := "is in the project"
	if rel, err := filepath.Rel(root, c.name()); err != nil || !filepath.IsLocal(rel) {
		said += ", through " + step
	}
	said += ": a pull request can change it"
	if opts.InProject == RefuseInProject {
		return c.problem("the ceiling "+said, fmt.Sprintf(
			"use one outside the project, pin it with %s%sDIGEST, or allow it with --allow-project-ceiling", c.Path, pin))
	}
	opts.Reporter.Warn(fmt.Errorf("the ceiling %s %s", c.name(), said))
	return nil
}
