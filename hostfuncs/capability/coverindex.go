package capability

import (
	"path"
	"slices"
	"strings"
)

// coverIndex finds the rules of a list that may cover another rule, so that not
// all of them have to be compared with it. One in which nothing is a pattern
// covers what has the same text. Of any other, the text up to its first * is at
// the beginning of what it covers.
type coverIndex struct {
	List
	literal map[string][]*Rule
	heads   map[string][]*Rule
	lengths []int // of heads
}

func newCoverIndex(l List) *coverIndex {
	x := &coverIndex{List: l, literal: make(map[string][]*Rule), heads: make(map[string][]*Rule)}
	for _, rule := range l.Rules {
		text := coverText(l.Key, rule, l.Deny)
		head, _, pattern := strings.Cut(text, "*")
		if !pattern {
			x.literal[text] = append(x.literal[text], rule)
			continue
		}
		// a/** is a too, and "ls **" is "ls".
		head = strings.TrimRight(head, "/"+wordEnd)
		x.heads[head] = append(x.heads[head], rule)
	}
	for head := range x.heads {
		x.lengths = append(x.lengths, len(head))
	}
	slices.Sort(x.lengths)
	x.lengths = slices.Compact(x.lengths)
	return x
}

// first is the first of the list's rules that covers a text, or one of some
// that are the same.
func (x *coverIndex) first(texts []string, covers func(*Rule) bool) *Rule {
	var found *Rule
	look := func(rules []*Rule) {
		if i := slices.IndexFunc(rules, covers); i >= 0 {
			found = first(found, rules[i])
		}
	}
	for _, text := range texts {
		look(x.literal[text])
		for _, n := range x.lengths {
			if n > len(text) {
				break
			}
			look(x.heads[text[:n]])
		}
	}
	return found
}

// firstOf is the first of several lists' rules that covers.
func firstOf(lists []*coverIndex, texts []string, covers func(*Rule) bool) *Rule {
	var found *Rule
	for _, list := range lists {
		found = first(found, list.first(texts, covers))
	}
	return found
}

// wordEnd is what stands between the words of a command.
const wordEnd = "\x00"

// coverText is what a rule of a list is known by in a coverIndex.
func coverText(key string, r *Rule, deny bool) string {
	if _, ok := textListOf(key); ok && key != "build.targets" {
		// What is the same is written in several ways.
		return "*"
	}
	switch key {
	case "exec":
		return commandText(r.words, deny)
	case "files.read", "files.env", "files.write", "build.contexts":
		return path.Clean(r.Text)
	case "files.list":
		return listedPattern(r)
	case "net.connect", "net.listen":
		// A range is known by nothing: what covers it begins anywhere.
		if of, err := parsePorts(r.Text); err != nil || of.Low != of.High {
			return "*"
		}
		port, _, _ := strings.Cut(r.Text, "-")
		return port
	}
	return r.Text
}

func commandText(words []string, deny bool) string {
	name := cleanFile(words[0])
	if deny {
		name = fold(name)
	}
	if strings.Contains(name, "/") {
		name = path.Clean(name)
	}
	return name + wordEnd + strings.Join(words[1:], wordEnd)
}

// deniedTexts are what a rule that denies all of a rule may be known by. A bare
// name denies a program by whatever path.
func deniedTexts(key string, allow *Rule) []string {
	if key != "exec" {
		return []string{coverText(key, allow, true)}
	}
	text := commandText(allow.words, true)
	name, rest, _ := strings.Cut(text, wordEnd)
	return []string{text, base(name) + wordEnd + rest}
}
