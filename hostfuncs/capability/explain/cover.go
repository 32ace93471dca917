package explain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// coverIndex finds the rules of a list that may cover another rule, so that only
// those are compared with it, see [capability.Key.SearchText].
type coverIndex struct {
	capability.List
	key     *capability.Key
	literal map[string][]*capability.Rule
	heads   map[string][]*capability.Rule
	lengths []int // of heads
}

func newCoverIndex(l capability.List) *coverIndex {
	x := &coverIndex{List: l, key: capability.KeyOf(l.Key), literal: make(map[string][]*capability.Rule), heads: make(map[string][]*capability.Rule)}
	for _, rule := range l.Rules {
		text := x.key.SearchText(l.Deny, rule)
		head, _, pattern := strings.Cut(text, "*")
		if !pattern {
			x.literal[text] = append(x.literal[text], rule)
			continue
		}
		// a/** covers a too, and "ls **" covers "ls".
		head = strings.TrimRight(head, "/\x00")
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
func (x *coverIndex) first(texts []string, covers func(*capability.Rule) bool) *capability.Rule {
	var found *capability.Rule
	look := func(rules []*capability.Rule) {
		if i := slices.IndexFunc(rules, covers); i >= 0 {
			found = earlier(found, rules[i])
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
func firstOf(lists []*coverIndex, texts []string, covers func(*capability.Rule) bool) *capability.Rule {
	var found *capability.Rule
	for _, list := range lists {
		found = earlier(found, list.first(texts, covers))
	}
	return found
}

// earlier is the first of two rules in their file.
func earlier(a, b *capability.Rule) *capability.Rule {
	if a == nil || b != nil && cmp.Or(b.Pos.Compare(a.Pos), cmp.Compare(b.Text, a.Text)) < 0 {
		return b
	}
	return a
}
