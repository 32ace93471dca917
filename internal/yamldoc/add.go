package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Addition is what [Add] adds to a document.
type Addition struct {
	// Path are the keys that lead to a list, or to a missing value.
	Path []string
	// Items are appended to the list, each written in YAML on one line.
	Items []Item
	// Value, instead of Items, is the value of a missing key, in YAML on one line.
	Value Item
}

// Item is a value in YAML, and a remark: a comment without its #, omitted if the line
// has no place for it.
type Item struct{ Text, Remark string }

// ErrNoPlace means that nothing can be added without changing something else, such as
// a list that an alias shares.
var ErrNoPlace = errors.New("cannot add to the file as it is written")

// Add adds to a document and keeps everything else as written: values, order, comments
// and layout. Missing keys of the path are added. The result is read again and compared
// with what it should be, value by value.
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

// keyColumn is the column of the last key of a path, 0 for none.
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

// with returns the document with the addition, without its layout.
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
			return nil, fmt.Errorf("%s: %w: the value exists", n.Pos(), ErrNoPlace)
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

// same reports whether two values are equal, apart from positions and the order of
// keys.
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
