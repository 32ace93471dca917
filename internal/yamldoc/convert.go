package yamldoc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// converter turns the parser's tree into ours. It stops at the first bound
// that is reached.
type converter struct {
	file     string
	problems Problems
	nodes    int
	stopped  bool
	open     []*yaml.Node // anchors whose values are being expanded
}

func (c *converter) pos(n *yaml.Node) Pos { return Pos{c.file, n.Line, n.Column} }

func (c *converter) stop(n *yaml.Node, message string) {
	if !c.stopped {
		c.problems.Add(c.pos(n), "", message, "")
	}
	c.stopped = true
}

func (c *converter) convert(n *yaml.Node, field string, depth int) *Node {
	out := &Node{pos: c.pos(n), field: field}
	if c.nodes++; c.nodes > MaxNodes {
		c.stop(n, fmt.Sprintf("the document has more than %d values once its aliases are expanded", MaxNodes))
	} else if depth > MaxDepth {
		c.stop(n, fmt.Sprintf("values are nested more than %d deep", MaxDepth))
	}
	if c.stopped {
		return out
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.alias(n, field, depth)
	case yaml.SequenceNode:
		c.checkTag(n, field, listTag)
		out.kind = KindList
		for i, item := range n.Content {
			out.items = append(out.items, c.convert(item, fmt.Sprintf("%s[%d]", field, i), depth+1))
		}
	case yaml.MappingNode:
		c.checkTag(n, field, mapTag)
		out.kind = KindMap
		out.entries = c.mapping(n, field, depth)
	default:
		c.scalar(n, out)
	}
	return out
}

func (c *converter) checkTag(n *yaml.Node, field, want string) {
	if tag := n.ShortTag(); tag != want {
		c.problems.Add(c.pos(n), field, fmt.Sprintf("tag %q has no meaning here", tag), "")
	}
}

func (c *converter) alias(n *yaml.Node, field string, depth int) *Node {
	if slices.Contains(c.open, n.Alias) {
		c.stop(n, fmt.Sprintf("alias %q contains itself", n.Value))
		return &Node{pos: c.pos(n), field: field}
	}
	c.open = append(c.open, n.Alias)
	out := c.convert(n.Alias, field, depth+1)
	c.open = c.open[:len(c.open)-1]
	return out
}

// pairs are the entries of a mapping that is being read. The index keeps the
// time in step with the number of keys.
type pairs struct {
	entries []Entry
	index   map[string]int
}

// add is false, and changes nothing, when the key is there already.
func (p *pairs) add(e Entry) bool {
	if _, ok := p.index[e.Key]; ok {
		return false
	}
	p.index[e.Key] = len(p.entries)
	p.entries = append(p.entries, e)
	return true
}

// mapping reads a mapping's own keys, then those that it merges in and does
// not have. https://yaml.org/type/merge.html
func (c *converter) mapping(n *yaml.Node, field string, depth int) []Entry {
	p := pairs{index: make(map[string]int)}
	var mergeKey, merged *yaml.Node
	for i := 0; i+1 < len(n.Content) && !c.stopped; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == mergeTag {
			if merged != nil {
				c.again(key, field, "<<", mergeKey.Line, "give a list to the first: <<: [*a, *b]")
				continue
			}
			mergeKey, merged = key, value
			continue
		}
		name, ok := c.key(key, field)
		if !ok {
			continue
		}
		if first, ok := p.index[name]; ok {
			c.again(key, field, name, p.entries[first].KeyPos.Line, "remove one of the two")
			continue
		}
		p.add(Entry{name, c.pos(key), c.convert(value, under(field, name), depth+1)})
	}
	if merged != nil && !c.merge(&p, merged, field, depth) && !c.stopped {
		c.problems.Add(c.pos(merged), field, "<< merges a mapping or a list of mappings, nothing else", "")
	}
	return p.entries
}

func (c *converter) again(key *yaml.Node, field, name string, first int, hint string) {
	c.problems.Add(c.pos(key), field, fmt.Sprintf("key %q stands here a second time, the first is at line %d", name, first), hint)
}

func (c *converter) key(n *yaml.Node, field string) (string, bool) {
	at := c.pos(n)
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		c.problems.Add(at, field, "a key is a list or a mapping, expected a string", "")
	case tagOf(n) != stringTag && tagOf(n) != timeTag:
		c.problems.Add(at, field, fmt.Sprintf("key %q is no string", n.Value), "put it in quotes")
	default:
		return n.Value, true
	}
	return "", false
}

// merge is false when the value is nothing that can be merged.
func (c *converter) merge(p *pairs, value *yaml.Node, field string, depth int) bool {
	node := c.convert(value, field, depth+1)
	sources := node.Items()
	if node.Kind() != KindList {
		sources = []*Node{node}
	}
	for _, source := range sources {
		if source.Kind() != KindMap {
			return false
		}
		for _, e := range source.Entries() {
			p.add(e)
		}
	}
	return true
}

// under is the field of a key; one that would write over the terminal or the
// line is quoted.
func under(field, key string) string {
	if strings.ContainsFunc(key, func(r rune) bool { return !Visible(r) }) {
		key = strconv.QuoteToASCII(key)
	}
	if field == "" {
		return key
	}
	return field + "." + key
}
