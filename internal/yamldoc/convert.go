package yamldoc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// converter converts the parser's tree. It stops at the first bound that is exceeded.
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
		c.problems.Add(c.pos(n), field, fmt.Sprintf("unsupported tag %q", tag), "")
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

// pairs are the entries of a mapping that is being read. The index makes the time
// linear in the number of keys.
type pairs struct {
	entries []Entry
	index   map[string]int
}

// add returns false and changes nothing if the key exists.
func (p *pairs) add(e Entry) bool {
	if _, ok := p.index[e.Key]; ok {
		return false
	}
	p.index[e.Key] = len(p.entries)
	p.entries = append(p.entries, e)
	return true
}

// mapping reads a mapping's own keys, then the merged keys that it does not have. https://yaml.org/type/merge.html
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
		c.problems.Add(c.pos(merged), field, "<< expects a mapping or a list of mappings", "")
	}
	return p.entries
}

func (c *converter) again(key *yaml.Node, field, name string, first int, hint string) {
	c.problems.Add(c.pos(key), field, fmt.Sprintf("duplicate key %q (first at line %d)", name, first), hint)
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
		c.problems.Add(at, field, fmt.Sprintf("key %q is not a string", n.Value), "put it in quotes")
	default:
		return n.Value, true
	}
	return "", false
}

// merge returns false if the value cannot be merged.
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

// under returns the field of a key, quoted if it could control the terminal.
func under(field, key string) string {
	if strings.ContainsFunc(key, func(r rune) bool { return !Visible(r) }) {
		key = strconv.QuoteToASCII(key)
	}
	if field == "" {
		return key
	}
	return field + "." + key
}
