package capability

import (
	"errors"
	"path"
	"strings"
)

// listedDirectories are rules for directories that commands may list. No operation
// asks for one.
type listedDirectories struct{}

// add takes a directory by its path. The kernel is told of directories with all
// below them, so that a pattern would have no meaning.
func (listedDirectories) add(r *Rule) error {
	if strings.Contains(r.Text, "*") {
		return errors.New("has a * in it: name a directory, which stands for those below it too")
	}
	return new(paths).add(r)
}

// listedTrees are the directories of some rules, each with all below it.
func listedTrees(rules []*Rule) []Subtree {
	var all []Subtree
	for _, r := range rules {
		all = append(all, Subtree{Path: path.Clean(r.Text), Below: true})
	}
	return all
}

// listedPattern is a rule's directory with those below it, as other rules of files
// write them.
func listedPattern(r *Rule) string { return path.Join(r.Text, deep) }

// readsAll tells whether a rule of files.read or files.write lets commands read all
// that a rule of files.list lets them list.
func readsAll(other, listed *Rule) bool {
	s, ok := subtree(other.Text)
	return ok && s.Below && covers("files.list", false, &Rule{Text: s.Path}, listed)
}
