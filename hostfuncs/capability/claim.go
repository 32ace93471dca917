// Package capability decides what a provider may do. It is pure: a [Claim]
// says what would really be done, a [Policy] what is allowed, and [Decide]
// compares them. It uses no clock, file system, environment or log.
//
// The rights are in families, one file each: commands, variables, files, image
// builds, network. [families] is the table of them. Package explain says why a
// policy decides as it does, and checks policies.
package capability

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Claim is what one call needs to be allowed. An operation makes it of what
// will really be done, not of what was asked for. An empty claim is denied, and
// so is one with a field that is not as its comment says.
//
// In JSON it is what an audit log keeps: [ParseClaim] reads it back.
type Claim struct {
	// Operation is a name of the ABI, such as exec; Provider is the ID of the
	// provider that calls. The gate fills in both.
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

// sentence is what a claim asks for, in words.
type sentence struct {
	does []string // a command or a build
	uses []string // files, images, ports
	with []string // variables
}

// String says in a line what is asked for.
func (c Claim) String() string {
	var s sentence
	for _, f := range families() {
		if f.words != nil {
			f.words(&c, &s)
		}
	}
	words := slices.Concat([]string{c.Operation}, s.does, s.uses)
	if len(s.with) > 0 {
		words = append(words, "with "+strings.Join(s.with, " and "))
	}
	return strings.Join(words, " ")
}

// fault says why no rule could allow a claim; empty where one could.
func (c *Claim) fault() string {
	switch {
	case !isOperation(c.Operation):
		return fmt.Sprintf("%q is not an operation", c.Operation)
	case c.Provider == "" || c.Provider == anyProvider:
		return fmt.Sprintf("%q is not a provider", c.Provider)
	}
	asked := false
	for _, f := range families() {
		if f.asked == nil || !f.asked(c) {
			continue
		}
		asked = true
		if f.fault == nil {
			continue
		}
		if why := f.fault(c); why != "" {
			return why
		}
	}
	if !asked {
		return "it asks for nothing"
	}
	return ""
}

// ParseClaim reads a claim from its JSON. An unknown field is an error, since it
// could be what a rule denies.
func ParseClaim(data []byte) (Claim, error) {
	var c Claim
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Claim{}, fmt.Errorf("cannot read the claim: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Claim{}, errors.New("more follows after the claim")
	}
	return c, nil
}

// useText and parseUse write and read the uses of variables, files and ports by
// their names, in the order of their values.
func useText(names []string, i int) ([]byte, error) {
	if i < 0 || i >= len(names) {
		return nil, fmt.Errorf("unknown use %d", i)
	}
	return []byte(names[i]), nil
}

func parseUse(names []string, text []byte) (int, error) {
	i := slices.Index(names, string(text))
	if i < 0 {
		return -1, fmt.Errorf("unknown use %q", text)
	}
	return i, nil
}

// quoteWords writes words so that one can see where each ends.
func quoteWords(words []string) string { return strings.Join(yamldoc.Words(words), " ") }

func quoteList(words []string) string { return strings.Join(yamldoc.Words(words), ", ") }
