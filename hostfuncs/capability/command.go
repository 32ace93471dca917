package capability

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Exec is a program that would run.
type Exec struct {
	Argv []string `json:"argv"`
	// Program is the absolute path of the file. It is empty where there is no
	// such file, and so nothing can run. The claim is then decided by where the
	// file would be, so that a provider learns that a program is missing only
	// where it may run it.
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

// commands are the programs that may run.
var commands = family{
	operations: []string{"exec", "process_start"},
	keys: func() []Key {
		return []Key{{
			name: "exec", rule: (*reader).command,
			parse: func(r *reader, k *Key, n *yamldoc.Node, s *section) { r.rules(n, k, &s.exec.allow, &s.exec.deny) },
			covers: func(deny bool, a, b *Rule) bool {
				return (a.sha256 == "" || a.sha256 == b.sha256) && commandCovers(a.words, b.words, deny)
			},
			denies:   commandDenies,
			search:   func(deny bool, r *Rule) string { return commandText(r.words, deny) },
			deniedBy: commandDeniedBy,
			matches: func(p Part, r *Rule) bool {
				var one execAllow
				return one.add(r) == nil && one.find(p.exec) != nil
			},
			miss: func(_ *Key, p Part, r *Rule) (int, string) { return missCommand(p.exec, r) },
		}}
	},
	asked: func(c *Claim) bool { return c.Exec != nil },
	fault: func(c *Claim) string {
		switch x := c.Exec; {
		case len(x.Argv) == 0 || x.Argv[0] == "":
			return "it names no program"
		case !fs.ValidPath(x.Dir):
			return fmt.Sprintf("%q is not a clean path in the project", x.Dir)
		case x.ProgramInProject != "" && !fs.ValidPath(x.ProgramInProject):
			return fmt.Sprintf("%q is not a clean path in the project", x.ProgramInProject)
		}
		return ""
	},
	words: func(c *Claim, s *sentence) {
		x := c.Exec
		if x == nil {
			return
		}
		s.does = append(s.does, quoteWords(x.Argv))
		if x.Program != "" && len(x.Argv) > 0 && x.Program != x.Argv[0] {
			s.does = append(s.does, "("+yamldoc.Word(x.Program)+")")
		}
		if x.Dir != "." {
			s.does = append(s.does, "in "+yamldoc.Word(x.Dir))
		}
	},
	decide: (*evaluation).exec,
	parts: func(c *Claim) []Part {
		if c.Exec == nil {
			return nil
		}
		x := *c.Exec
		x.Daemons = nil // another family's
		p := Part{Keys: []string{"exec"}, Claim: c.alone(), exec: &x}
		p.Claim.Exec = &x
		return []Part{p}
	},
	requests: []request{{key: "exec", operation: "exec", beside: []string{"dir", "program", "sha256", "daemons", "env", "load"}, read: (*reader).execRequest}},
}

// commandRules are a section's rules for commands.
type commandRules struct {
	allow execAllow
	deny  execDeny
	exact []exactRule
}

// exactRule allows one argv, word for word, in one directory, or in any where dir
// is empty.
type exactRule struct {
	argv []string
	dir  string
	rule *Rule
}

func (c *commandRules) findExact(x *Exec) *Rule {
	var found *Rule
	for _, exact := range c.exact {
		if (exact.dir == "" || exact.dir == x.Dir) && slices.Equal(exact.argv, x.Argv) {
			found = first(found, exact.rule)
		}
	}
	return found
}

// AllowArgv allows exactly that argv in exactly that directory, relative to the
// project, or in any where dir is empty; no character of it is a pattern.
func AllowArgv(argv []string, dir string, pos yamldoc.Pos) Rule {
	argv = slices.Clone(argv)
	return made(quoteWords(argv), pos, func(s *section, r *Rule) error {
		s.exec.exact = append(s.exec.exact, exactRule{argv, dir, r})
		return nil
	})
}

// AllowCommand allows a command by the words of a policy, in which * and a last
// ** are patterns.
func AllowCommand(words []string, pos yamldoc.Pos) Rule {
	words = slices.Clone(words)
	return made(quoteWords(words), pos, func(s *section, r *Rule) error {
		r.words = words
		return s.exec.allow.add(r)
	})
}

func (e *evaluation) exec() {
	x := e.claim.Exec
	if x == nil {
		return
	}
	allow, deny := e.find(func(s *section) (*Rule, *Rule) {
		return first(s.exec.findExact(x), s.exec.allow.find(x)), s.exec.deny.find(x)
	})
	e.command = allow
	e.settle(allow, deny, func() Grant {
		e.why = e.pinnedElse(x)
		grant, ok := grantExec(x)
		switch {
		case x.Writable && e.why != "":
			e.cannot(e.why)
		case !ok:
			e.cannot("the program does not exist, and cannot be in the project")
		}
		return grant
	})
}

// pinnedElse says that a rule would allow the command if the program's file were
// the pinned one, and could not be written.
func (e *evaluation) pinnedElse(x *Exec) string {
	var rule *Rule
	for _, s := range e.sections {
		rule = first(rule, s.exec.allow.pins.findStrict(x))
	}
	switch {
	case rule == nil:
		return ""
	case x.Writable && x.SHA256 == rule.sha256:
		return fmt.Sprintf("%s pins its program, and confined commands may write to %s: keep it out of files.write and of the caches of use, or allow the command without sha256",
			rule, cmp.Or(x.Resolved, x.Program))
	}
	return fmt.Sprintf("%s pins sha256 %s, and the program has %s", rule, rule.sha256, cmp.Or(x.SHA256, "none that can be read"))
}

// Pins reports whether the policy has a rule that would allow the command to a
// provider, were its program the file that the rule pins.
func (p *Policy) Pins(provider string, x *Exec) bool {
	return slices.ContainsFunc(p.of(provider), func(s *section) bool { return s.exec.allow.pins.findStrict(x) != nil })
}

// Pins reports whether any of the policies pins the command, see [Policy.Pins].
func Pins(policies []*Policy, provider string, x *Exec) bool {
	return slices.ContainsFunc(policies, func(p *Policy) bool { return p.Pins(provider, x) })
}

// grantExec is the rule for exactly one command, as far as a rule can be
// exact. There is none for a program that is missing and could not be there.
func grantExec(x *Exec) (Grant, bool) {
	words := slices.Clone(x.Argv)
	if !isBare(words[0]) {
		file, inside := x.files()
		switch {
		case inside != "":
			words[0] = "./" + inside
		case strings.HasPrefix(file, "//"):
			// With slashes it would not be a share, but a directory.
			words[0] = `\\` + file[2:]
		case file != "":
			words[0] = file
		default:
			return Grant{}, false
		}
	}
	simple := true
	for i, word := range words {
		words[i] = asPattern(word)
		simple = simple && isSimple(words[i])
	}
	if simple {
		return Grant{Key: "exec", Rule: yamldoc.Quote(strings.Join(words, " "))}, true
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = yamldoc.Quote(word)
	}
	return Grant{Key: "exec", Rule: "[" + strings.Join(quoted, ", ") + "]"}, true
}

// isSimple reports whether a word of a command can be written in a string.
func isSimple(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("_./=+:@-", c)
	})
}
