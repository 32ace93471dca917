package schema

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// maxShown is the most characters of a value or a word in a message, and maxListed the most
// words of a list.
const (
	maxShown  = 60
	maxListed = 50
)

// kindOf says what a value is, in the words of [abi.Decode].
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "the number " + cut(value.String())
	case []any:
		return "a list"
	default:
		return "a mapping"
	}
}

// names are those of the types of JSON Schema, in the words of [abi.Decode].
var names = map[string]string{
	"string": "a string", "boolean": "true or false", "integer": "a whole number", "number": "a number", "array": "a list", "object": "a mapping", "null": "null",
}

// wants says which types are expected. A value that is text has no other form, and a key
// that may be null may be left out. Items are described by the schema.
func wants(types []string, schema map[string]any, isText bool) string {
	types = slices.Clone(types)
	if isText && slices.Contains(types, "string") {
		types = slices.DeleteFunc(types, func(name string) bool { return name == "number" || name == "integer" || name == "boolean" })
	}
	if len(types) > 1 {
		types = slices.DeleteFunc(types, func(name string) bool { return name == "null" })
	}
	var words []string
	for _, name := range types {
		word := names[name]
		if each := itemsOf(name, schema, isText); each != "" {
			word += each
		}
		words = append(words, word)
	}
	return or(words)
}

// itemsOf says what the items of a list or a mapping are, if it has no keys of its own.
func itemsOf(name string, schema map[string]any, isText bool) string {
	keyword, each := "items", ", each item "
	if name == "object" {
		keyword, each = "additionalProperties", ", each value "
		if schema["properties"] != nil {
			return ""
		}
	} else if name != "array" {
		return ""
	}
	items, _ := schema[keyword].(map[string]any)
	if types := typesOf(items); len(types) > 0 {
		return each + wants(types, items, isText)
	}
	return ""
}

// typesOf returns the types that a schema names.
func typesOf(schema map[string]any) []string {
	switch named := schema["type"].(type) {
	case string:
		return []string{named}
	case []any:
		var types []string
		for _, name := range named {
			if text, ok := name.(string); ok {
				types = append(types, text)
			}
		}
		return types
	}
	return nil
}

// or lists words as alternatives.
func or(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// shown is a value in a message: a text in quotes, another one as JSON.
func shown(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(cut(text))
	}
	return plain(value)
}

// plain is a value as a user writes it.
func plain(value any) string {
	if text, ok := value.(string); ok {
		return cut(text)
	}
	return cut(written(value))
}

// written is a value in JSON with a space after each comma of a list.
func written(value any) string {
	if list, ok := value.([]any); ok {
		items := make([]string, len(list))
		for i, item := range list {
			items[i] = written(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return string(data)
}

func cut(text string) string {
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "..."
	}
	return text
}

// short are the first words of a list for a hint.
func short(words []string) []string {
	if len(words) > maxListed {
		return append(slices.Clone(words[:maxListed]), "...")
	}
	return words
}
