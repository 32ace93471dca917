package provenance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// decode reads a JSON document. Fields that aren't known are passed over, as
// DSSE and in-toto want it, but nothing may be read in two ways: encoding/json
// takes the last of two fields of one name, and any spelling of a name in upper
// and lower case, where others take the first and one spelling.
func decode(data []byte, into any) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	// Bounds the depth as well.
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return err
	}
	n := names{known: make(map[string]string)}
	n.learn(reflect.TypeOf(into))
	if err := n.check(json.NewDecoder(bytes.NewReader(data))); err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// names are those of the fields that are read, by their folded spelling.
type names struct{ known map[string]string }

func (n names) learn(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		n.learn(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			n.known[fold(name)] = name
			n.learn(t.Field(i).Type)
		}
	}
}

// check reads one value, which is known to be JSON.
func (n names) check(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return n.object(d)
	case json.Delim('['):
		for d.More() {
			if err := n.check(d); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func (n names) object(d *json.Decoder) error {
	seen := make(map[string]bool)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name := t.(string)
		folded := fold(name)
		if seen[folded] {
			return fmt.Errorf("an object has the field %q twice", name)
		}
		if known, ok := n.known[folded]; ok && known != name {
			return fmt.Errorf("the field %q is not spelt %q", name, known)
		}
		seen[folded] = true
		if err := n.check(d); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// fold gives names that encoding/json takes for one the same spelling.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		for {
			next := unicode.SimpleFold(r)
			if next <= r {
				return next
			}
			r = next
		}
	}, name)
}
