package capability

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// paths finds rules for paths in the project: * stands for any characters of
// one segment, a segment ** for any number of segments, also none.
type paths struct {
	tree tree
	// folded has the same rules, by fold.
	folded tree
}

// maxDeep keeps one pattern from taking time that grows faster than a square.
const maxDeep = 2

var errManyDeep = errors.New("has more than two **")

func (p *paths) add(r *Rule) error {
	words := pathWords(path.Clean(r.Text))
	switch {
	case r.Text == "":
		return errors.New("is empty")
	case path.IsAbs(r.Text):
		return errors.New("begins with /: paths are relative to the project directory")
	case slices.Contains(strings.Split(r.Text, "/"), ".."):
		return errors.New("has .. in it, which could leave the project directory: write the path without")
	}
	if err := p.folded.insertDeep(foldedWords(words), r); err != nil {
		return err
	}
	return p.tree.insertDeep(words, r)
}

// addExact takes a path in which nothing is a pattern.
func (p *paths) addExact(r *Rule) error {
	if !fs.ValidPath(r.Text) {
		return errors.New("is no clean path in the project")
	}
	p.tree.insertExact(pathWords(r.Text), r)
	p.folded.insertExact(foldedWords(pathWords(r.Text)), r)
	return nil
}

func (p *paths) find(name string) *Rule { return p.tree.find(pathWords(name), glob) }

// findFolded finds rules for all paths that may be the same one. Rules that deny
// are found so: on many file systems SECRET is the file that a rule denies as
// secret.
func (p *paths) findFolded(name string) *Rule {
	return p.folded.find(foldedWords(pathWords(name)), glob)
}

func foldedWords(words []string) []string {
	folded := make([]string, len(words))
	for i, word := range words {
		folded[i] = fold(word)
	}
	return folded
}

// pathWords are a path's segments; the project directory itself has none, so that
// ** has it and * has not.
func pathWords(p string) []string {
	if p == "." {
		return nil
	}
	return strings.Split(p, "/")
}

// references finds rules for the references of images. They are matched like
// paths: no * crosses a slash.
type references struct{ tree tree }

func (x *references) add(r *Rule) error {
	if r.Text == "" {
		return errors.New("is empty")
	}
	return x.tree.insertDeep(strings.Split(r.Text, "/"), r)
}

func (x *references) addExact(r *Rule) error {
	if r.Text == "" {
		return errors.New("is empty")
	}
	x.tree.insertExact(strings.Split(r.Text, "/"), r)
	return nil
}

func (x *references) find(name string) *Rule {
	return x.tree.find(strings.Split(name, "/"), glob)
}
