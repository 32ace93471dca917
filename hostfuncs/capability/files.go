package capability

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// FileKind is what would be done with a file.
type FileKind int

// The uses of a file.
const (
	Read FileKind = iota
	Write
	Load // its variables are given to what runs, unseen by the provider
	// Watch reports that files change. The path is a pattern, with the links before its
	// first * resolved. What a rule denies of it is not reported.
	Watch
)

// FileUse is a file that would be used. Path is relative to the project
// directory, with slashes and links resolved.
type FileUse struct {
	Path string   `json:"path"`
	Use  FileKind `json:"use"`
}

var fileKinds = []string{Read: "read", Write: "write", Load: "load", Watch: "watch"}

// MarshalText implements [encoding.TextMarshaler].
func (k FileKind) MarshalText() ([]byte, error) { return useText(fileKinds, int(k)) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *FileKind) UnmarshalText(text []byte) error {
	i, err := parseUse(fileKinds, text)
	*k = FileKind(i)
	return err
}

// FromFiles reports whether the claim is of variables in a file which the provider
// may not be allowed to read. It is so for a missing or empty file too: else
// the answer would report whether the file exists.
func (c Claim) FromFiles() bool {
	return slices.ContainsFunc(c.Files, func(f FileUse) bool { return f.Use == Load })
}

// files are the files of the project.
var files = family{
	operations: []string{"list", "read_file", "stat", "watch"},
	keys: func() []Key {
		return []Key{
			pathKey("files.read", func(c *Confinement, rules []*Rule) { c.Files.Read = append(c.Files.Read, subtrees(rules)...) }),
			{
				// No operation lists a directory by these rules: they are for commands.
				name: "files.list",
				parse: func(r *reader, k *Key, n *yamldoc.Node, _ *section) {
					r.list(n, k, List{Key: k.name}, listedDirectories{})
				},
				covers:  func(_ bool, a, b *Rule) bool { return pathCovers(listedPattern(a), listedPattern(b)) },
				search:  func(_ bool, r *Rule) string { return listedPattern(r) },
				confine: func(c *Confinement, rules []*Rule) { c.Files.List = append(c.Files.List, listedTrees(rules)...) },
			},
			pathKey("files.env", nil),
			pathKey("files.write", func(c *Confinement, rules []*Rule) { c.Files.Write = append(c.Files.Write, subtrees(rules)...) }),
		}
	},
	asked: func(c *Claim) bool { return len(c.Files) > 0 },
	fault: func(c *Claim) string {
		for _, use := range c.Files {
			if !fs.ValidPath(use.Path) || use.Use < Read || use.Use > Watch || use.Use == Watch && !isFilePattern(use.Path) {
				return fmt.Sprintf("%q is not a clean path in the project, or its use is unknown", use.Path)
			}
		}
		return ""
	},
	words: func(c *Claim, s *sentence) {
		var loaded []string
		for _, use := range c.Files {
			if use.Use == Load {
				loaded = append(loaded, use.Path)
				continue
			}
			s.uses = append(s.uses, yamldoc.Word(use.Path))
		}
		if loaded != nil {
			s.with = append(s.with, "the variables of "+quoteList(loaded))
		}
	},
	decide: func(e *evaluation) {
		for _, use := range e.claim.Files {
			e.file(use)
		}
	},
	parts: func(c *Claim) []Part {
		var all []Part
		for _, use := range c.Files {
			p := Part{Keys: use.keys(), Claim: c.alone(), text: use.Path, pattern: use.Use == Watch}
			p.Claim.Files = []FileUse{use}
			all = append(all, p)
		}
		return all
	},
	// Commands write files and get the variables of dotenv files; no other
	// operation does.
	requests: []request{
		{key: "read", operation: "read_file", read: fileRequest(Read)},
		{key: "write", operation: "exec", read: fileRequest(Write)},
		{key: "load", operation: "exec", read: (*reader).loadRequest},
	},
}

// pathKey is a key whose rules are patterns of paths in the project.
func pathKey(name string, confine func(*Confinement, []*Rule)) Key {
	return Key{
		name: name, index: func() index { return new(paths) },
		covers:  func(_ bool, a, b *Rule) bool { return pathCovers(path.Clean(a.Text), path.Clean(b.Text)) },
		search:  func(_ bool, r *Rule) string { return path.Clean(r.Text) },
		confine: confine,
		matches: func(p Part, r *Rule) bool {
			one := new(paths)
			switch {
			case one.add(r) != nil:
				return false
			case p.pattern:
				return one.watch(p.text) != nil
			}
			return one.allows(p.text) != nil
		},
	}
}

func pathCovers(a, b string) bool { return listCovers(pathWords(a), pathWords(b), globCovers) }

// keys are the lists whose rules can allow the use.
func (u FileUse) keys() []string {
	switch u.Use {
	case Load:
		return []string{"files.env", "files.read"}
	case Write:
		return []string{"files.write"}
	default:
		return []string{"files.read"}
	}
}

// AllowRead allows the files that a pattern matches to be read.
func AllowRead(pattern string, pos yamldoc.Pos) Rule { return allowIn("files.read", pattern, pos) }

// Reads reports whether all policies let a provider read a file.
func Reads(policies []*Policy, provider, path string) bool {
	return Decide(policies, Claim{Operation: "read_file", Provider: provider, Files: []FileUse{{Path: path, Use: Read}}}).Allowed
}

// AllowLoad allows the variables of the dotenv files that a pattern matches to
// be given to what runs. The files may not be read for that.
func AllowLoad(pattern string, pos yamldoc.Pos) Rule { return allowIn("files.env", pattern, pos) }

func (e *evaluation) file(use FileUse) {
	if use.Use == Watch {
		e.watched(use)
		return
	}
	key := use.keys()[0]
	allow, deny := e.list(key, use.Path)
	if use.Use == Load && allow == nil {
		// A file that may be read may be loaded, unless a rule denies that.
		read, unread := e.list("files.read", use.Path)
		allow, deny = read, first(deny, unread)
	}
	e.settle(allow, deny, func() Grant { return grantOf(key, use.Path) })
}

// listedDirectories are rules for directories that commands may list.
type listedDirectories struct{}

// add takes a directory by its path. The kernel is given whole directories, so a
// pattern would have no meaning.
func (listedDirectories) add(r *Rule) error {
	if strings.Contains(r.Text, "*") {
		return errors.New("has a * in it: name a directory, which includes those below it")
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

// Lists reports whether a rule of files.read or files.write lets commands list all
// that a rule of files.list does.
func Lists(other, listed *Rule) bool {
	s, ok := ParseSubtree(other.Text)
	return ok && s.Below && pathCovers(path.Join(s.Path, deep), listedPattern(listed))
}

// DeniesBelow reports whether a rule of the policy may deny a provider something in a
// directory of the project, at any depth. No system can deny it to commands: one that
// may use a directory may use all that is in it.
func (p *Policy) DeniesBelow(provider, dir string) bool {
	words := foldedWords(pathWords(dir))
	return slices.ContainsFunc(p.lists, func(l List) bool {
		if !l.Deny || !strings.HasPrefix(l.Key, "files.") || l.Provider != provider && l.Provider != anyProvider {
			return false
		}
		return slices.ContainsFunc(l.Rules, func(r *Rule) bool {
			return reachesBelow(foldedWords(pathWords(path.Clean(r.Text))), words)
		})
	})
}

// reachesBelow reports whether a pattern may match a directory, or something in it.
func reachesBelow(pattern, dir []string) bool {
	for i, word := range pattern {
		if word == deep || i == len(dir) {
			return true
		}
		if !glob(word, dir[i]) {
			return false
		}
	}
	return len(pattern) == len(dir)
}

func fileRequest(use FileKind) func(r *reader, request, value *yamldoc.Node, c *Claim) {
	return func(r *reader, _, value *yamldoc.Node, c *Claim) {
		c.Files = []FileUse{{Path: r.path(value), Use: use}}
	}
}

// loadRequest reads the path of a dotenv file, or a list of them.
func (r *reader) loadRequest(_, value *yamldoc.Node, c *Claim) {
	nodes := []*yamldoc.Node{value}
	if value.Kind() == yamldoc.KindList {
		nodes = value.Items()
	}
	for _, n := range nodes {
		c.Files = append(c.Files, FileUse{Path: r.path(n), Use: Load})
	}
}
