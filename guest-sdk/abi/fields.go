package abi

import "strings"

// Object is a JSON object. A pointer to a struct implements it, with a method that lists
// the fields. Reflection would find them too, but it is a third of a Go module.
//
//	type config struct {
//		Command []string
//		Port    int
//	}
//
//	func (c *config) Fields() []abi.Field {
//		return []abi.Field{{Name: "command", To: &c.Command}, {Name: "port", To: &c.Port}}
//	}
type Object interface{ Fields() []Field }

// Field is one field of an [Object].
type Field struct {
	// Name is the key. As in a tag for encoding/json, ",omitempty" after it leaves out
	// an empty value.
	Name string
	// To points to the value: a string, bool, int, int64, []string, map[string]string,
	// an Object, or a [Setter] and [Getter]. Or it is the result of [List], [Map] or
	// [Optional]. Anything else is a panic.
	To any
}

func (f *Field) key() string {
	name, _, _ := strings.Cut(f.Name, ",")
	return name
}

// SortedKeys returns the keys of a mapping, sorted. It is for few keys: the code of
// slices.Sort would be 27 KB of a module.
func SortedKeys[T any](m map[string]T) []string {
	var keys []string
	for key := range m {
		keys = insert(keys, key)
	}
	return keys
}

// insert adds a word to a sorted list.
func insert(sorted []string, word string) []string {
	sorted = append(sorted, word)
	for i := len(sorted) - 1; i > 0 && sorted[i-1] > word; i-- {
		sorted[i-1], sorted[i] = word, sorted[i-1]
	}
	return sorted
}

// List makes a list the value of a Field. Pointers to T are values of a Field.
func List[T any](to *[]T) any { return &list[T]{to} }

// Map makes a mapping the value of a Field. Pointers to T are values of a Field.
func Map[T any](to *map[string]T) any { return &mapping[T]{to} }

// Optional makes a pointer, which may be nil, the value of a Field. Pointers to T are
// values of a Field.
func Optional[T any](to **T) any { return &optional[T]{to} }

// The interfaces hide the types of elements, so that one codec is linked for all.
type (
	listed interface {
		size() int    // -1 for nil
		at(i int) any // a pointer to an element
		reset()       // makes it empty, not nil
		add() any     // a pointer to a new element
		element() any // a pointer to some element
	}
	mapped interface {
		size() int
		keys() []string     // sorted
		get(key string) any // a pointer to a copy
		reset()
		set(key string, decode func(to any))
		element() any
	}
	optionally interface {
		get() any // a pointer to the value, nil if there is none
		add() any // a pointer to a new value
	}
)

type list[T any] struct{ to *[]T }

func (l *list[T]) at(i int) any { return &(*l.to)[i] }
func (l *list[T]) element() any { return new(T) }
func (l *list[T]) reset()       { *l.to = []T{} }

func (l *list[T]) size() int {
	if *l.to == nil {
		return -1
	}
	return len(*l.to)
}

func (l *list[T]) add() any {
	*l.to = append(*l.to, *new(T))
	return l.at(len(*l.to) - 1)
}

type mapping[T any] struct{ to *map[string]T }

func (m *mapping[T]) element() any { return new(T) }
func (m *mapping[T]) reset()       { *m.to = make(map[string]T) }

func (m *mapping[T]) size() int {
	if *m.to == nil {
		return -1
	}
	return len(*m.to)
}

func (m *mapping[T]) keys() []string { return SortedKeys(*m.to) }

func (m *mapping[T]) get(key string) any {
	v := (*m.to)[key]
	return &v
}

func (m *mapping[T]) set(key string, decode func(to any)) {
	var v T
	decode(&v)
	(*m.to)[key] = v
}

type optional[T any] struct{ to **T }

func (o *optional[T]) get() any {
	if *o.to == nil {
		return nil
	}
	return *o.to
}

func (o *optional[T]) add() any {
	*o.to = new(T)
	return *o.to
}
