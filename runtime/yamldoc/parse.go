package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Parse reads one document; file is its name in positions. A document with
// nothing in it is a null.
//
// # Errors
//
// [Problems], all that were found: the parser itself stops at the first.
func Parse(file string, data []byte) (*Node, error) {
	var problems Problems
	start := Pos{file, 1, 1}
	if len(data) > MaxBytes {
		problems.Add(Pos{File: file}, "", fmt.Sprintf("the file has %d bytes, at most %d are read", len(data), MaxBytes), "")
		return nil, problems
	}
	if pos, ok := invalidUTF8(file, data); ok {
		problems.Add(pos, "", "this is no UTF-8", "save the file as UTF-8")
		return nil, problems
	}
	root, err := decode(data)
	if err != nil {
		problems.Add(errorPos(file, err), "", errorText(err), "")
		return nil, problems
	}
	if root == nil {
		return &Node{kind: KindNull, pos: start}, nil
	}
	c := converter{file: file}
	node := c.convert(root, "", 0)
	if err := c.problems.Err(); err != nil {
		return nil, err
	}
	return node, nil
}

func invalidUTF8(file string, data []byte) (Pos, bool) {
	if utf8.Valid(data) {
		return Pos{}, false
	}
	line := 1
	for l := range bytes.Lines(data) {
		for column := 1; len(l) > 0; column++ {
			r, size := utf8.DecodeRune(l)
			if r == utf8.RuneError && size == 1 {
				return Pos{file, line, column}, true
			}
			l = l[size:]
		}
		line++
	}
	return Pos{File: file}, true
}

// decode gives the root of the only document; nil when there is none. The
// parser reports some errors by panicking.
func decode(data []byte) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	if err := d.Decode(&next); err == nil {
		return nil, fmt.Errorf("yaml: line %d: a second document begins, one is expected", next.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

var errorLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func errorPos(file string, err error) Pos {
	line := 0
	if m := errorLine.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
		line, _ = strconv.Atoi(m[1])
	}
	return Pos{File: file, Line: line}
}

func errorText(err error) string {
	return errorLine.ReplaceAllString(err.Error(), "")
}

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
		c.checkTag(n, field, "!!seq")
		out.kind = KindList
		for i, item := range n.Content {
			out.items = append(out.items, c.convert(item, fmt.Sprintf("%s[%d]", field, i), depth+1))
		}
	case yaml.MappingNode:
		c.checkTag(n, field, "!!map")
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

// mapping reads a mapping's own keys, then those that it merges in and does
// not have. https://yaml.org/type/merge.html
func (c *converter) mapping(n *yaml.Node, field string, depth int) []Entry {
	var entries []Entry
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content) && !c.stopped; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		name, ok := c.key(key, field)
		if !ok {
			continue
		}
		if first := find(entries, name); first != nil {
			c.problems.Add(c.pos(key), field, fmt.Sprintf("key %q stands here a second time, the first is at line %d", name, first.KeyPos.Line), "remove one of the two")
			continue
		}
		entries = append(entries, Entry{name, c.pos(key), c.convert(value, under(field, name), depth+1)})
	}
	for _, value := range merged {
		entries = c.merge(entries, value, field, depth)
	}
	return entries
}

func (c *converter) key(n *yaml.Node, field string) (string, bool) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || (tag != "!!str" && tag != "!!timestamp") {
		c.problems.Add(c.pos(n), field, fmt.Sprintf("key %q is no string", strings.TrimSpace(n.Value)), "put it in quotes")
		return "", false
	}
	return n.Value, true
}

func (c *converter) merge(entries []Entry, value *yaml.Node, field string, depth int) []Entry {
	node := c.convert(value, field, depth+1)
	var sources []*Node
	switch node.Kind() {
	case KindMap:
		sources = []*Node{node}
	case KindList:
		sources = node.Items()
	}
	for _, source := range sources {
		if source.Kind() != KindMap {
			sources = nil
			break
		}
		for _, e := range source.Entries() {
			if find(entries, e.Key) == nil {
				entries = append(entries, e)
			}
		}
	}
	if sources == nil && !c.stopped {
		c.problems.Add(c.pos(value), field, "<< merges a mapping or a list of mappings, nothing else", "")
	}
	return entries
}

func find(entries []Entry, key string) *Entry {
	for i := range entries {
		if entries[i].Key == key {
			return &entries[i]
		}
	}
	return nil
}

func under(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}

var (
	wholeNumber = regexp.MustCompile(`^[-+]?[0-9][0-9_]*$`)
	jsonNumber  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

func (c *converter) scalar(n *yaml.Node, out *Node) {
	out.text = n.Value
	switch tag := n.ShortTag(); tag {
	case "!!null":
		out.kind, out.text = KindNull, ""
	case "!!bool":
		out.kind, out.text = KindBool, strings.ToLower(n.Value)
	case "!!str", "!!timestamp":
		out.kind = KindString
	case "!!int":
		out.kind = KindInt
		c.number(n, out, intText)
	case "!!float":
		// The parser takes what is too long for its own integers for a float.
		out.kind = KindFloat
		if wholeNumber.MatchString(n.Value) {
			out.kind = KindInt
			c.number(n, out, intText)
			return
		}
		c.number(n, out, floatText)
	default:
		c.problems.Add(c.pos(n), out.field, fmt.Sprintf("tag %q has no meaning here", tag), "")
	}
}

func (c *converter) number(n *yaml.Node, out *Node, text func(string) (string, bool)) {
	written, ok := text(strings.ReplaceAll(n.Value, "_", ""))
	if !ok {
		c.problems.Add(c.pos(n), out.field, fmt.Sprintf("%q is no number that JSON has", n.Value), "")
		return
	}
	out.text = written
}

func intText(s string) (string, bool) {
	i, ok := new(big.Int).SetString(s, 0)
	if !ok {
		// A leading 0 with an 8 or 9 behind it is decimal.
		i, ok = new(big.Int).SetString(s, 10)
	}
	if !ok {
		return "", false
	}
	return i.String(), true
}

func floatText(s string) (string, bool) {
	if jsonNumber.MatchString(s) {
		return s, true
	}
	f, err := strconv.ParseFloat(s, 64)
	text := strconv.FormatFloat(f, 'g', -1, 64)
	return text, err == nil && jsonNumber.MatchString(text)
}
