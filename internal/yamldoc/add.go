package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Addition is what [Add] puts into a document.
type Addition struct {
	// Path are the keys that lead to a list, or to a value that is not there yet.
	Path []string
	// Items are put behind those of the list, each written in YAML on one line.
	Items []Item
	// Value is written in YAML on one line, in place of Items, for a key that the
	// document does not have.
	Value Item
}

// Item is a value in YAML, and a remark for the reader: a comment without its #,
// which is left out where the line has no place for one.
type Item struct{ Text, Remark string }

// ErrNoPlace is that a document has no place where something can be added and
// all else stays as it is, such as a list that an alias shares.
var ErrNoPlace = errors.New("cannot add to the file as it is written")

// Add puts something into a document and leaves everything else as it is written:
// values, their order, comments and layout. Keys on the way that are missing are
// added. Whether the result says what it should, and nothing else, is not left to
// the layout: it is read again and compared, value by value.
//
// # Errors
//
// [Problems] of the document, and [ErrNoPlace].
func Add(file string, data []byte, a Addition) ([]byte, error) {
	root, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	at, rest := root, a.Path
	for len(rest) > 0 && at.Get(rest[0]) != nil {
		at, rest = at.Get(rest[0]), rest[1:]
	}
	want, err := with(root, a)
	if err != nil {
		return nil, err
	}
	e := editor{data: data, at: at, rest: rest, addition: a, want: want, ending: "\n"}
	if line, _, _ := bytes.Cut(data, []byte("\n")); bytes.HasSuffix(line, []byte("\r")) {
		e.ending = "\r\n"
	}
	if out, ok := e.edit(keyColumn(root, a.Path[:len(a.Path)-len(rest)])); ok {
		return out, nil
	}
	where := at.Pos()
	return nil, fmt.Errorf("%s: %w: write it by hand at %s", where, ErrNoPlace, strings.Join(a.Path, "."))
}

// keyColumn is where the last key of a path stands, 0 for none.
func keyColumn(n *Node, path []string) int {
	column := 0
	for _, key := range path {
		for _, e := range n.Entries() {
			if e.Key == key {
				column = e.KeyPos.Column
			}
		}
		n = n.Get(key)
	}
	return column
}

// with is the document that an addition is to make, apart from its layout.
func with(n *Node, a Addition) (*Node, error) {
	if len(a.Path) > 0 {
		key, rest := a.Path[0], Addition{a.Path[1:], a.Items, a.Value}
		if n != nil && n.kind != KindMap && n.kind != KindNull {
			return nil, fmt.Errorf("%s: %w: %s is %s, expected a mapping", n.Pos(), ErrNoPlace, n.Field(), n.Kind())
		}
		out := &Node{kind: KindMap, entries: slices.Clone(n.Entries())}
		value, err := with(n.Get(key), rest)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(out.entries, func(e Entry) bool { return e.Key == key })
		if i < 0 {
			i, out.entries = len(out.entries), append(out.entries, Entry{Key: key})
		}
		out.entries[i].Value = value
		return out, nil
	}
	if a.Items == nil {
		if n != nil {
			return nil, fmt.Errorf("%s: %w: there is a value already", n.Pos(), ErrNoPlace)
		}
		return Parse("", []byte(a.Value.Text))
	}
	if n != nil && n.kind != KindList {
		return nil, fmt.Errorf("%s: %w: %s is %s, expected a list", n.Pos(), ErrNoPlace, n.Field(), n.Kind())
	}
	out := &Node{kind: KindList, items: slices.Clone(n.Items())}
	for _, item := range a.Items {
		value, err := Parse("", []byte(item.Text))
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, value)
	}
	return out, nil
}

// same tells whether two values are the same, apart from where they stand and from
// the order of keys, which means nothing.
func same(a, b *Node) bool {
	if a.Kind() != b.Kind() || a.Text() != b.Text() || len(a.Entries()) != len(b.Entries()) {
		return false
	}
	values := make(map[string]*Node)
	for _, e := range b.Entries() {
		values[e.Key] = e.Value
	}
	for _, e := range a.Entries() {
		if other, ok := values[e.Key]; !ok || !same(e.Value, other) {
			return false
		}
	}
	return slices.EqualFunc(a.Items(), b.Items(), same)
}
