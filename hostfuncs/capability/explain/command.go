package explain

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// openProgram finds a rule that leaves open which program runs, or with which
// arguments.
func (c *checker) openProgram(l capability.List, rule *capability.Rule) {
	name, words := rule.Program(), rule.Words()
	args := words[1:]
	does := knownFor(name)
	switch {
	case strings.Contains(words[0], "*"):
		c.find(l, rule, capability.OpenProgram, "name the programs that are meant", "leaves open which program runs, so it may be one that runs any other")
	case !strings.Contains(strings.Join(args, " "), "*"):
	case does != "":
		c.find(l, rule, capability.OpenArguments, "write the arguments word by word", "leaves arguments of %s open: %s", name, does)
	case slices.Contains(args, "*") || slices.Contains(args, "**"):
		c.find(l, rule, capability.OpenArguments, "write the arguments word by word", "leaves arguments of %s open, and what it does with any is not known", name)
	default:
		c.find(l, rule, capability.OpenWord, "write the words that are meant", "leaves a part of an argument of %s open", name)
	}
}

// knownFor says what a program does with arguments; empty where that is not
// known.
func knownFor(name string) string {
	if does := known().find(name); does != "" {
		return does
	}
	return known().find(version().ReplaceAllString(name, ""))
}

// known is the table of programs, by their names in lower case.
var known = sync.OnceValue(func() programTable {
	t := programTable{exact: make(map[string]string)}
	for _, group := range knownPrograms {
		for _, name := range group.names {
			name = strings.ToLower(name)
			switch {
			case strings.Contains(name, "*"):
				t.patterns = append(t.patterns, [2]string{name, group.does})
			case t.exact[name] == "":
				t.exact[name] = group.does
			}
		}
	}
	return t
})

// programTable says what programs do. A whole name counts before a pattern.
type programTable struct {
	exact    map[string]string
	patterns [][2]string // with what they do
}

func (t programTable) find(name string) string {
	if does := t.exact[name]; does != "" {
		return does
	}
	for _, p := range t.patterns {
		// A name has no slash, so that * matches any characters.
		if ok, err := path.Match(p[0], name); ok && err == nil {
			return p[1]
		}
	}
	return ""
}

// version is the end of a program's name with its version, such as that of
// python3.11, node18, gcc-12 or python3.13t.
var version = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[-@_]?v?[0-9]+(?:[._][0-9]+)*[a-z]?$`) })

// dangerousPattern finds a pattern of variables that passes none.
func dangerousPattern(_ *checker, _ capability.List, rule *capability.Rule) (hint, why string) {
	if strings.Contains(rule.Text, "*") && capability.DangerousPattern(rule.Text) {
		return "name each variable that is meant", "passes nothing: all that it matches must be named in full"
	}
	return "", ""
}

// passedVariables are the lists that say the same of variables to look at: those
// that may be passed may be looked at, and those that may not be passed may not.
func passedVariables(c *checker, l capability.List) []*coverIndex {
	return c.listsFor(l, "env.pass", l.Deny)
}

// dockerSocket finds a socket by which commands control the machine.
func dockerSocket(c *checker, l capability.List, rule *capability.Rule) {
	if rule.Text == "docker" {
		c.find(l, rule, capability.DockerSocket, "build images by build.contexts instead, which needs no socket",
			"lets commands start containers with any directory and device of this machine, which is root access on most")
	}
}
