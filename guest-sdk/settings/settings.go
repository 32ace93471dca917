// Package settings decodes a provider's configuration into a struct with json tags. It
// imports encoding/json, which adds a megabyte to a module; [abi.Decode] does the same
// for a type that lists its fields.
package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Decode decodes a configuration into v, a pointer to a struct with json tags. Unknown
// fields and values of another kind are problems. It returns all problems in one
// [*abi.Error] with [abi.CodeInvalid]; each names its field, what it is and what it
// should be. An empty or null config does not change v.
func Decode(config []byte, v any) error {
	if len(bytes.TrimSpace(config)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(config))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return abi.NewError(abi.CodeInvalid, "configuration is not JSON: "+err.Error())
	}
	target := reflect.TypeOf(v)
	if target == nil || target.Kind() != reflect.Pointer {
		return abi.NewError(abi.CodeInvalid, fmt.Sprintf("cannot decode the configuration into %T: expected a pointer", v))
	}
	var c checker
	if tree != nil {
		c.value("", tree, target.Elem())
	}
	if len(c.problems) > 0 {
		return abi.Invalid(c.problems...)
	}
	if err := json.Unmarshal(config, v); err != nil {
		return abi.NewError(abi.CodeInvalid, "configuration: "+err.Error())
	}
	return nil
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// checker compares a JSON tree with a type.
type checker struct{ problems []abi.Problem }

func (c *checker) value(at string, v any, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		if v == nil {
			return
		}
		t = t.Elem()
	}
	if t.Kind() == reflect.Interface || reflect.PointerTo(t).Implements(unmarshaler) {
		return
	}
	if got, want := kindOf(v), wantOf(t); !fits(v, t) {
		p := abi.Problem{Pointer: at, Message: fmt.Sprintf("is %s, expected %s", got, want)}
		if v == nil && t.Kind() == reflect.String {
			p.Hint = `write "" for an empty text, or leave the key out`
		}
		c.problems = append(c.problems, p)
		return
	}
	switch v := v.(type) {
	case map[string]any:
		c.object(at, v, t)
	case []any:
		for i, item := range v {
			c.value(at+"/"+strconv.Itoa(i), item, t.Elem())
		}
	}
}

func (c *checker) object(at string, v map[string]any, t reflect.Type) {
	for _, key := range slices.Sorted(maps.Keys(v)) {
		under := abi.UnderPointer(at, key)
		if t.Kind() == reflect.Map {
			c.value(under, v[key], t.Elem())
			continue
		}
		field, known := fieldOf(t, key)
		if field == nil {
			c.problems = append(c.problems, abi.UnknownKey(under, key, known))
			continue
		}
		c.value(under, v[key], field)
	}
}

// fieldOf returns the type of the field with a name in JSON, and all names.
func fieldOf(t reflect.Type, key string) (found reflect.Type, known []string) {
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		known = append(known, name)
		if name == key {
			found = f.Type
		}
	}
	slices.Sort(known)
	return found, known
}

func fits(v any, t reflect.Type) bool {
	switch v := v.(type) {
	case nil:
		return t.Kind() == reflect.Map || t.Kind() == reflect.Slice
	case bool:
		return t.Kind() == reflect.Bool
	case string:
		return t.Kind() == reflect.String
	case json.Number:
		return fitsNumber(v, t)
	case []any:
		return t.Kind() == reflect.Slice
	default:
		return t.Kind() == reflect.Struct || t.Kind() == reflect.Map
	}
}

func fitsNumber(n json.Number, t reflect.Type) bool {
	switch {
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		i, err := strconv.ParseInt(n.String(), 10, 64)
		return err == nil && !reflect.Zero(t).OverflowInt(i)
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		u, err := strconv.ParseUint(n.String(), 10, 64)
		return err == nil && !reflect.Zero(t).OverflowUint(u)
	default:
		return t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	}
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "the number " + v.String()
	case []any:
		return "a list"
	default:
		return "a mapping"
	}
}

func wantOf(t reflect.Type) string {
	switch k := t.Kind(); {
	case k == reflect.String:
		return "a string"
	case k == reflect.Bool:
		return "true or false"
	case k >= reflect.Int && k <= reflect.Int64:
		return "a whole number"
	case k >= reflect.Uint && k <= reflect.Uint64:
		return "a whole number, 0 or more"
	case k == reflect.Float32 || k == reflect.Float64:
		return "a number"
	case k == reflect.Slice:
		return "a list, each item " + wantOf(t.Elem())
	case k == reflect.Map:
		return "a mapping, each value " + wantOf(t.Elem())
	case k == reflect.Pointer:
		return wantOf(t.Elem())
	default:
		return "a mapping"
	}
}
