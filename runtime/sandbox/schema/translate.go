package schema

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// translate returns the problems of a value in our words: those of [abi.Decode] where it
// finds the same. doc is the schema, or nil if the value is a schema itself.
//
// # Errors
//
// A reference of the schema that leads to itself without end.
func translate(failed *jsonschema.ValidationError, doc, value any, texts []string) ([]abi.Problem, error) {
	t := translator{doc: doc, value: value, texts: texts}
	mistakes := t.all(failed.Causes)
	var problems []abi.Problem
	for _, m := range mistakes {
		// A key with a mistake in it is not missing as well.
		misspelt := func(other mistake) bool {
			return slices.ContainsFunc(m.required, func(key string) bool {
				return other.meant != "" && (other.meant == m.Pointer || other.meant == abi.UnderPointer(m.Pointer, key))
			})
		}
		if !slices.ContainsFunc(mistakes, misspelt) {
			problems = append(problems, m.Problem)
		}
	}
	return problems, t.err
}

type translator struct {
	doc, value any
	texts      []string
	err        error
}

// noText is the hint for null in place of a text, as [abi.Decode] gives it.
const noText = `write "" for an empty text, or leave the key out`

// mistake is a problem, and what its alternatives may say together.
type mistake struct {
	abi.Problem
	types    string   // the expected types, of a value of another type
	values   []any    // the expected values
	required []string // the missing keys
	meant    string   // where the key would be that is probably meant, of an unknown one
}

func (t *translator) all(failed []*jsonschema.ValidationError) []mistake {
	var mistakes []mistake
	for _, e := range failed {
		mistakes = append(mistakes, t.one(e)...)
	}
	return mistakes
}

// one translates an error: of several values, of alternatives, or of one value.
func (t *translator) one(e *jsonschema.ValidationError) []mistake {
	at := pointer(e.InstanceLocation)
	schema := t.schema(e.SchemaURL)
	switch k := e.ErrorKind.(type) {
	case *kind.Group, *kind.AllOf, *kind.Reference, *kind.ContentSchema:
		return t.all(e.Causes)
	case *kind.AnyOf:
		return t.alternatives(at, schema, e.Causes)
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			return t.alternatives(at, schema, e.Causes)
		}
		return one(at, several(schema, k.Subschemas), hint(schema, ""))
	case *kind.RefCycle:
		t.err = errors.New("a reference leads to itself without end: " + cut(strings.TrimPrefix(k.URL, place)))
		return nil
	case *kind.AdditionalProperties:
		return t.unknown(at, schema, k.Properties)
	case *kind.Required:
		return t.missing(at, schema, k.Missing, "is required")
	case *kind.DependentRequired:
		return t.missing(at, schema, k.Missing, "is required with "+cut(k.Prop))
	case *kind.Dependency:
		return t.missing(at, schema, k.Missing, "is required with "+cut(k.Prop))
	case *kind.PropertyNames:
		under := abi.UnderPointer(at, k.Property)
		return []mistake{{Problem: abi.Problem{Pointer: under, Key: true, Message: strconv.Quote(cut(k.Property)) + " is not a valid key", Hint: hint(schema, "")}}}
	case *kind.Type:
		types := typesOf(schema) // in the order of the schema
		if len(types) != len(k.Want) {
			types = k.Want
		}
		return t.wrongType(at, schema, types)
	case *kind.Enum:
		return []mistake{t.unknownValue(at, k.Want)}
	case *kind.Const:
		return []mistake{t.unknownValue(at, []any{k.Want})}
	}
	message, about := t.of(at, e.ErrorKind), hint(schema, last(e.InstanceLocation))
	if k, ok := e.ErrorKind.(*kind.Pattern); ok && about == "" {
		message = shown(k.Got) + " does not match " + cut(k.Want)
	}
	return one(at, message, about)
}

func one(at, message, hint string) []mistake {
	return []mistake{{Problem: abi.Problem{Pointer: at, Message: message, Hint: hint}}}
}

// of is the message of an error about one value.
func (t *translator) of(at string, of jsonschema.ErrorKind) string {
	switch k := of.(type) {
	case *kind.MinItems:
		return size(k.Got, "item", "at least", k.Want)
	case *kind.MaxItems:
		return size(k.Got, "item", "at most", k.Want)
	case *kind.AdditionalItems:
		return fmt.Sprintf("has %d items too many", k.Count)
	case *kind.MinProperties:
		return size(k.Got, "key", "at least", k.Want)
	case *kind.MaxProperties:
		return size(k.Got, "key", "at most", k.Want)
	case *kind.MinLength:
		return size(k.Got, "character", "at least", k.Want)
	case *kind.MaxLength:
		return size(k.Got, "character", "at most", k.Want)
	case *kind.Pattern:
		return shown(k.Got) + " is not valid"
	case *kind.Format:
		return shown(k.Got) + " is not a valid " + cut(k.Want)
	case *kind.UniqueItems:
		return fmt.Sprintf("has the same item twice: [%d] and [%d]", k.Duplicates[0], k.Duplicates[1])
	case *kind.Contains:
		return "has none of the expected items"
	case *kind.MinContains:
		return size(len(k.Got), "expected item", "at least", k.Want)
	case *kind.MaxContains:
		return size(len(k.Got), "expected item", "at most", k.Want)
	case *kind.Minimum:
		return number(k.Got, "at least", k.Want)
	case *kind.Maximum:
		return number(k.Got, "at most", k.Want)
	case *kind.ExclusiveMinimum:
		return number(k.Got, "more than", k.Want)
	case *kind.ExclusiveMaximum:
		return number(k.Got, "less than", k.Want)
	case *kind.MultipleOf:
		return number(k.Got, "a multiple of", k.Want)
	case *kind.Not, *kind.FalseSchema:
		if value, _ := lookup(t.value, at); value != nil {
			return shown(value) + " is not allowed"
		}
	}
	return "is not allowed"
}

// size is the message of a list, mapping or text of the wrong size.
func size(got int, unit, compared string, want int) string {
	if got == 0 && want == 1 && compared == "at least" {
		return "is empty"
	}
	return fmt.Sprintf("has %s, expected %s %d", count(got, unit), compared, want)
}

func count(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

func number(got *big.Rat, compared string, want *big.Rat) string {
	return fmt.Sprintf("is the number %s, expected %s %s", cut(decimal(got)), compared, cut(decimal(want)))
}

// decimal writes a number with as many digits as it needs.
func decimal(n *big.Rat) string {
	digits, exact := n.FloatPrec()
	if !exact || digits > maxShown {
		return n.RatString()
	}
	return n.FloatString(digits)
}

// unknown are the keys that a mapping does not have.
func (t *translator) unknown(at string, schema map[string]any, keys []string) []mistake {
	properties, _ := schema["properties"].(map[string]any)
	known := slices.Sorted(maps.Keys(properties))
	var mistakes []mistake
	for _, key := range keys {
		m := mistake{Problem: abi.UnknownKey(abi.UnderPointer(at, key), key, short(known))}
		if near := abi.Nearest(key, known); near != "" {
			m.meant = abi.UnderPointer(at, near)
		}
		if len(known) == 0 {
			m.Hint = ""
		}
		mistakes = append(mistakes, m)
	}
	return mistakes
}

// missing are required keys.
func (t *translator) missing(at string, schema map[string]any, keys []string, message string) []mistake {
	properties, _ := schema["properties"].(map[string]any)
	var mistakes []mistake
	for _, key := range keys {
		property := t.described(properties[key])
		mistakes = append(mistakes, mistake{
			Problem:  abi.Problem{Pointer: abi.UnderPointer(at, key), Message: message, Hint: hint(property, key)},
			required: []string{key},
		})
	}
	return mistakes
}

// several is the message of a value that matches several alternatives. Those that only
// require keys are named by them.
func several(schema map[string]any, matched []int) string {
	alternatives, _ := schema["oneOf"].([]any)
	var keys []string
	for _, i := range matched {
		if i >= len(alternatives) {
			break
		}
		alternative, _ := alternatives[i].(map[string]any)
		if required, _ := alternative["required"].([]any); len(alternative) == 1 && len(required) == 1 {
			keys = append(keys, plain(required[0]))
		}
	}
	if len(keys) == len(matched) {
		return "has " + strings.Join(keys, " and ") + ", expected one of them"
	}
	return "matches several alternatives, expected one"
}

// described is the schema of a property, with what another part of the schema says of it.
func (t *translator) described(schema any) map[string]any {
	property, _ := schema.(map[string]any)
	address, _ := property["$ref"].(string)
	if !strings.HasPrefix(address, "#") {
		return property
	}
	described := maps.Clone(t.schema(place + address))
	if described == nil {
		return property
	}
	maps.Copy(described, property)
	return described
}

func (t *translator) wrongType(at string, schema map[string]any, types []string) []mistake {
	value, _ := lookup(t.value, at)
	isText := slices.ContainsFunc(t.texts, func(text string) bool {
		return at == text || strings.HasPrefix(at, text+"/") || strings.HasPrefix(text, at+"/")
	})
	want := wants(types, schema, isText)
	m := mistake{Problem: abi.Problem{Pointer: at, Message: "is " + kindOf(value) + ", expected " + want}, types: want}
	if value == nil && slices.Contains(types, "string") {
		m.Hint = noText
	}
	return []mistake{m}
}

func (t *translator) unknownValue(at string, want []any) mistake {
	value, _ := lookup(t.value, at)
	var known []string
	for _, word := range want {
		if text := plain(word); text != "" {
			known = append(known, text)
		}
	}
	m := mistake{Problem: abi.Problem{Pointer: at, Message: "unknown value " + shown(value), Hint: "expected one of " + strings.Join(short(known), ", ")}, values: want}
	if len(known) == 1 {
		m.Hint = "expected " + known[0]
	}
	if text, ok := value.(string); ok {
		if near := abi.Nearest(text, known); near != "" {
			m.Hint = "did you mean " + strconv.Quote(near) + "? " + m.Hint
		}
	}
	return m
}

// alternatives says what is wrong with a value that matches none. If one alternative is
// for values of this type, it is the one that was meant.
func (t *translator) alternatives(at string, schema map[string]any, failed []*jsonschema.ValidationError) []mistake {
	var fitting [][]mistake
	var types, keys []string
	var values []any
	for _, e := range failed {
		branch := t.one(e)
		switch {
		case len(branch) == 0:
		case len(branch) == 1 && branch[0].Pointer == at && branch[0].types != "":
			types = append(types, branch[0].types)
		default:
			fitting = append(fitting, branch)
		}
	}
	if len(fitting) == 0 && len(types) > 0 {
		value, _ := lookup(t.value, at)
		m := mistake{types: or(slices.Compact(types))}
		m.Problem = abi.Problem{Pointer: at, Message: "is " + kindOf(value) + ", expected " + m.types}
		if value == nil && slices.Contains(types, names["string"]) {
			m.Hint = noText
		}
		return []mistake{m}
	}
	for _, branch := range fitting {
		if m := branch[0]; len(branch) == 1 && m.Pointer == at && m.values != nil {
			values = append(values, m.values...)
		}
		if m := branch[0]; len(branch) == 1 && m.required != nil && m.Pointer == abi.UnderPointer(at, m.required[0]) {
			keys = append(keys, m.required...)
		}
	}
	switch {
	case len(fitting) > 1 && len(keys) == len(fitting):
		return []mistake{{Problem: abi.Problem{Pointer: at, Message: "requires " + or(keys), Hint: hint(schema, "")}, required: keys}}
	case len(fitting) > 1 && len(values) > 0:
		m := t.unknownValue(at, values)
		if about := hint(schema, last(strings.Split(at, "/"))); about != "" {
			m.Hint += "\n" + about
		}
		return []mistake{m}
	case len(fitting) > 0:
		return slices.MinFunc(fitting, func(a, b []mistake) int { return len(a) - len(b) })
	}
	return one(at, "matches none of the alternatives", hint(schema, ""))
}

// hint is what a schema says of a value, and an example of a key with it.
func hint(schema map[string]any, key string) string {
	var lines []string
	if about, ok := schema["description"].(string); ok {
		lines = append(lines, about)
	}
	if examples, _ := schema["examples"].([]any); len(examples) > 0 {
		example := plain(examples[0])
		if _, err := strconv.Atoi(key); err != nil && key != "" {
			example = key + ": " + example
		}
		lines = append(lines, "for example: "+example)
	}
	return strings.Join(lines, "\n")
}

func last(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	return keys[len(keys)-1]
}

func pointer(keys []string) string {
	at := ""
	for _, key := range keys {
		at = abi.UnderPointer(at, key)
	}
	return at
}
