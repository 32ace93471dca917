package learn

import (
	"errors"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

// KeepAccepted is a learnt policy with what the policy before it accepts of its
// findings, word by word: that is its author's, and no run shows it.
//
// # Errors
//
// What is accepted can't be taken over as it stands, such as in a file of one
// line, or by an alias.
func KeepAccepted(before, learnt string) (string, error) {
	old, err := capability.Parse("before", []byte(before))
	if err != nil || len(old.Acceptances()) == 0 {
		// A file that is not a policy accepts nothing.
		return learnt, nil
	}
	root, err := yamldoc.Parse("before", []byte(before))
	if err != nil {
		return "", err
	}
	kept := learnt + section(strings.SplitAfter(before, "\n"), root, "accept")
	now, err := capability.Parse("learnt", []byte(kept))
	if err != nil || len(now.Acceptances()) != len(old.Acceptances()) {
		return "", errors.New("what the policy there accepts can't be taken over: write accept as the last key, on lines of its own, without aliases")
	}
	return kept, nil
}

// section is the lines of a key at the top, to the next one.
func section(lines []string, root *yamldoc.Node, key string) string {
	first, last := 0, len(lines)
	for _, e := range root.Entries() {
		switch {
		case e.Key == key:
			first = e.KeyPos.Line - 1
		case first > 0 && e.KeyPos.Line > first:
			last = min(last, e.KeyPos.Line-1)
		}
	}
	return strings.TrimRight(strings.Join(lines[first:last], ""), "\n") + "\n"
}
