package capability

import (
	"regexp"
	"slices"
	"strings"
)

// open finds a rule that leaves open which program runs, or what it is told.
func (c *checker) open(l List, rule *Rule) {
	if l.Key != "exec" {
		return
	}
	name := stem(strings.ToLower(base(cleanFile(rule.words[0]))))
	args := rule.words[1:]
	does := knownFor(name)
	switch {
	case strings.Contains(rule.words[0], "*"):
		c.find(l, rule, OpenProgram, "name the programs that are meant", "leaves open which program runs, so it may be one that runs any other")
	case !strings.Contains(strings.Join(args, " "), "*"):
	case does != "":
		c.find(l, rule, OpenArguments, "write the arguments word by word", "leaves arguments of %s open: %s", name, does)
	case slices.Contains(args, "*") || slices.Contains(args, deep):
		c.find(l, rule, OpenArguments, "write the arguments word by word", "leaves arguments of %s open, and what it does with any is not known", name)
	default:
		c.find(l, rule, OpenWord, "write the words that are meant", "leaves a part of an argument of %s open", name)
	}
}

// knownFor says what a program does with arguments; empty where that is not
// known.
func knownFor(name string) string {
	if does := known.find(name); does != "" {
		return does
	}
	return known.find(version.ReplaceAllString(name, ""))
}

// known is the table of programs, by their names in lower case.
var known = func() (t whyTable) {
	for _, family := range knownPrograms {
		for _, name := range family.names {
			t.add(strings.ToLower(name), family.does)
		}
	}
	return t
}()

// version is the end of a program's name that says which of its versions it is,
// such as that of python3.11, node18, gcc-12 or python3.13t.
var version = regexp.MustCompile(`[-@_]?v?[0-9]+(?:[._][0-9]+)*[a-z]?$`)
