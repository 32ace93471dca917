// Package yamldoc reads one YAML document strictly: every problem has a position,
// duplicate keys and keys that are not strings are refused, aliases are bounded, and
// conversion to JSON keeps every digit.
//
// It is the only importer of the YAML parser; stagecraft.yml and policy files
// are both read with it. See "Why gopkg.in/yaml.v3?" in RATIONALE.md.
package yamldoc

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Bounds on a document. Configurations are far below all of them.
const (
	// MaxBytes is the size of a document.
	MaxBytes = 1 << 20
	// MaxNodes is the number of values once aliases are expanded.
	MaxNodes = 100_000
	// MaxDepth is how deep values may be nested.
	MaxDepth = 200
)

// Kind is what a value is.
type Kind int

// The kinds of values. A timestamp is a string, as it is in JSON.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindString
	KindList
	KindMap
)

// String returns the kind as used in messages.
func (k Kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "a number", "a string", "a list", "a mapping"}[k]
}

// Node is a value and its position. Its methods can be called on nil, which is a
// missing value.
type Node struct {
	kind    Kind
	pos     Pos
	field   string
	text    string // a scalar, as JSON writes it unless it is a string
	written string // a scalar, as the document writes it
	entries []Entry
	items   []*Node
}

// Entry is one key of a mapping with its value.
type Entry struct {
	Key    string
	KeyPos Pos
	Value  *Node
}

// Kind returns the kind of the value.
func (n *Node) Kind() Kind {
	if n == nil {
		return KindNull
	}
	return n.kind
}

// Pos returns the position of the value.
func (n *Node) Pos() Pos {
	if n == nil {
		return Pos{}
	}
	return n.pos
}

// Field returns the path of the value from the top, such as backend.provider.
func (n *Node) Field() string {
	if n == nil {
		return ""
	}
	return n.field
}

// Text returns a scalar as text; empty for anything else.
func (n *Node) Text() string {
	if n == nil || n.kind == KindNull {
		return ""
	}
	return n.text
}

// Entries returns the entries of a mapping in the document's order.
func (n *Node) Entries() []Entry {
	if n == nil {
		return nil
	}
	return n.entries
}

// Items returns the items of a list.
func (n *Node) Items() []*Node {
	if n == nil {
		return nil
	}
	return n.items
}

// Get returns the value of a mapping's key, nil if there is none.
func (n *Node) Get(key string) *Node {
	for _, e := range n.Entries() {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}

// At follows a JSON pointer (RFC 6901) from the value; nil if there is no such value.
func (n *Node) At(pointer string) *Node {
	for _, token := range SplitPointer(pointer) {
		if n.Kind() != KindList {
			n = n.Get(token)
			continue
		}
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 || i >= len(n.items) || strconv.Itoa(i) != token {
			return nil
		}
		n = n.items[i]
	}
	return n
}

// Expand returns the pointers that a JSON pointer with * stands for: each * is one of the
// keys of a mapping, in the document's order. A pointer without * stands for itself.
func (n *Node) Expand(pointer string) []string {
	before, after, found := strings.Cut(pointer+"/", "/*/")
	if !found {
		return []string{pointer}
	}
	var all []string
	for _, e := range n.At(before).Entries() {
		at := before + "/" + escapeKey.Replace(e.Key)
		if after == "" {
			all = append(all, at)
			continue
		}
		for _, below := range e.Value.Expand("/" + strings.TrimSuffix(after, "/")) {
			all = append(all, at+below)
		}
	}
	return all
}

// escapeKey writes a key as in a JSON pointer.
var escapeKey = strings.NewReplacer("~", "~0", "/", "~1")

// SplitPointer returns the keys of a JSON pointer (RFC 6901), from the top down.
func SplitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	keys := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, key := range keys {
		keys[i] = strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
	}
	return keys
}

// JSON returns the value in JSON: keys in the document's order, numbers digit for
// digit. In each of texts, a value below n, numbers and booleans become strings as
// written in the document.
func (n *Node) JSON(texts ...*Node) json.RawMessage {
	w := jsonWriter{texts: texts}
	w.write(n, false)
	return w.Bytes()
}

type jsonWriter struct {
	bytes.Buffer
	texts []*Node
}

func (w *jsonWriter) write(n *Node, text bool) {
	b := &w.Buffer
	text = text || slices.Contains(w.texts, n)
	switch n.Kind() {
	case KindNull:
		b.WriteString("null")
	case KindString:
		writeString(b, n.text)
	case KindList:
		b.WriteByte('[')
		for i, item := range n.items {
			separate(b, i)
			w.write(item, text)
		}
		b.WriteByte(']')
	case KindMap:
		b.WriteByte('{')
		for i, e := range n.entries {
			separate(b, i)
			writeString(b, e.Key)
			b.WriteByte(':')
			w.write(e.Value, text)
		}
		b.WriteByte('}')
	default:
		if text {
			writeString(b, n.written)
		} else {
			b.WriteString(n.text)
		}
	}
}

func separate(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

func writeString(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	// A string can always be encoded, and a buffer always written to.
	_ = e.Encode(s)
	b.Truncate(b.Len() - 1)
}
