package abi

import (
	"errors"
	"strconv"
	"strings"
)

// Unmarshal decodes a message into v as encoding/json does, with exact names of fields.
// It ignores unknown fields and null.
func Unmarshal(data []byte, v Object) error {
	n, err := parse(data)
	if err != nil {
		return err
	}
	var d decoder
	d.value("", &n, v)
	if len(d.problems) > 0 {
		return errors.New(Invalid(d.problems[0]).Message)
	}
	return nil
}

// Decode decodes a provider's configuration into v. Unknown fields and values of another
// kind are problems. It returns all problems in one [*Error] with [CodeInvalid]; each
// names its field, what it is and what it should be. An empty or null config does not
// change v. Package settings does the same for structs with json tags.
func Decode(config JSON, v Object) error {
	if len(config) == 0 {
		return nil
	}
	n, err := parse(config)
	if err != nil {
		return NewError(CodeInvalid, "configuration is not JSON: "+err.Error())
	}
	if n.kind == 'n' {
		return nil
	}
	d := decoder{strict: true}
	d.value("", &n, v)
	if len(d.problems) > 0 {
		return Invalid(d.problems...)
	}
	return nil
}

// Invalid returns the error of invalid values in the configuration. Its message names
// each field.
func Invalid(problems ...Problem) *Error {
	var lines []string
	for _, p := range problems {
		line := p.Message
		if name := FieldName(p.Pointer); name != "" {
			line = name + ": " + line
		}
		lines = append(lines, line)
	}
	return &Error{Code: CodeInvalid, Message: strings.Join(lines, "\n"), Problems: problems}
}

type decoder struct {
	strict   bool // unknown fields and null are problems
	problems []Problem
}

// value decodes n, which is at a JSON pointer, into what to points to.
func (d *decoder) value(at string, n *node, to any) {
	ok := false
	switch v := to.(type) {
	case Setter:
		if err := v.SetJSON(n.raw); err != nil {
			d.problems = append(d.problems, Problem{Pointer: at, Message: err.Error()})
		}
		return
	case *[]string:
		ok = d.list(at, n, &list[string]{v})
	case listed:
		ok = d.list(at, n, v)
	case *map[string]string:
		ok = d.mapping(at, n, &mapping[string]{v})
	case mapped:
		ok = d.mapping(at, n, v)
	case optionally:
		if n.kind != 'n' {
			d.value(at, n, v.add())
		}
		return
	case Object:
		ok = d.object(at, n, v)
	default:
		ok = n.scalar(to)
	}
	if !ok && (d.strict || n.kind != 'n') {
		d.wrong(at, n, to)
	}
}

// scalar decodes a value without parts. It reports whether it is of the right kind.
func (n *node) scalar(to any) (ok bool) {
	switch v := to.(type) {
	case *string:
		if ok = n.kind == '"'; ok {
			*v = n.text
		}
	case *bool:
		if ok = n.kind == 't' || n.kind == 'f'; ok {
			*v = n.kind == 't'
		}
	case *int:
		var i int64
		if i, ok = n.integer(strconv.IntSize); ok {
			*v = int(i)
		}
	case *int64:
		var i int64
		if i, ok = n.integer(64); ok {
			*v = i
		}
	case *EnvState:
		return n.scalar((*string)(v))
	default:
		panic("abi: a field of an unsupported type")
	}
	return ok
}

func (n *node) integer(bits int) (int64, bool) {
	if n.kind != 0 {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n.raw), 10, bits)
	return i, err == nil
}

func (d *decoder) list(at string, n *node, l listed) bool {
	if n.kind != '[' {
		return n.kind == 'n'
	}
	l.reset()
	for i := range n.items {
		d.value(at+"/"+strconv.Itoa(i), &n.items[i], l.add())
	}
	return true
}

func (d *decoder) mapping(at string, n *node, m mapped) bool {
	if n.kind != '{' {
		return n.kind == 'n'
	}
	m.reset()
	for _, i := range n.sorted() {
		key := n.keys[i]
		m.set(key, func(to any) { d.value(UnderPointer(at, key), &n.items[i], to) })
	}
	return true
}

func (d *decoder) object(at string, n *node, v Object) bool {
	if n.kind != '{' {
		return false
	}
	fields := v.Fields()
	for _, i := range n.sorted() {
		key := n.keys[i]
		if to := find(fields, key); to != nil {
			d.value(UnderPointer(at, key), &n.items[i], to)
		} else if d.strict {
			d.problems = append(d.problems, unknown(UnderPointer(at, key), key, fields))
		}
	}
	return true
}

// sorted returns the indexes of items by their keys: problems are in this order.
func (n *node) sorted() []int {
	var order []int
	for i := range n.keys {
		order = append(order, i)
		for j := i; j > 0 && n.keys[order[j-1]] > n.keys[i]; j-- {
			order[j-1], order[j] = i, order[j-1]
		}
	}
	return order
}

func find(fields []Field, key string) (to any) {
	for _, f := range fields {
		if f.key() == key {
			return f.To
		}
	}
	return nil
}

func unknown(pointer, key string, fields []Field) Problem {
	var known []string
	for _, f := range fields {
		known = insert(known, f.key())
	}
	return UnknownKey(pointer, key, known)
}

// UnknownKey is the problem of a key that is none of known, which is sorted.
func UnknownKey(pointer, key string, known []string) Problem {
	hint := "known here: " + strings.Join(known, ", ")
	if near := Nearest(key, known); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "? " + hint
	}
	return Problem{Pointer: pointer, Key: true, Message: "unknown key", Hint: hint}
}

func (d *decoder) wrong(at string, n *node, to any) {
	p := Problem{Pointer: at, Message: "is " + n.is() + ", expected " + want(to)}
	if _, ok := to.(*string); ok && n.kind == 'n' {
		p.Hint = `write "" for an empty text, or leave the key out`
	}
	d.problems = append(d.problems, p)
}

func (n *node) is() string {
	switch n.kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '[':
		return "a list"
	case '{':
		return "a mapping"
	}
	return "the number " + string(n.raw)
}

// want says what a value should be.
func want(to any) string {
	switch v := to.(type) {
	case *string:
		return "a string"
	case *bool:
		return "true or false"
	case *int, *int64:
		return "a whole number"
	case *[]string:
		return "a list, each item a string"
	case *map[string]string:
		return "a mapping, each value a string"
	case listed:
		return "a list, each item " + want(v.element())
	case mapped:
		return "a mapping, each value " + want(v.element())
	}
	return "a mapping"
}
