package config

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SchemaFile is where an editor looks for the schema of the configuration, relative to
// the project directory. The command "schema config" prints its contents.
const SchemaFile = ".stagecraft/config.schema.json"

// SchemaLine is the first line of a configuration whose editor checks and completes it
// by the schema in [SchemaFile]. It is a comment that the YAML language server reads; the
// path in it is relative to the configuration.
const SchemaLine = "# yaml-language-server: $schema=" + SchemaFile

// schema is the JSON Schema of the core's keys.
//
//go:embed schema.json
var schema []byte

// dialect is the version of JSON Schema in which schemas are written.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// Schema returns the JSON Schema of a configuration, of the version 2020-12. parts has the
// schema of each available provider's settings by ID, or nil if it is not known. The same
// parts give the same bytes.
func Schema(parts map[string]json.RawMessage) ([]byte, error) {
	var root map[string]any
	if err := unmarshal(schema, &root); err != nil {
		return nil, err
	}
	backend := root["properties"].(map[string]any)["backend"].(map[string]any)
	keys := backend["properties"].(map[string]any)
	defs, entries, rules := make(map[string]any), make(map[string]any), []any{}
	ids := slices.Sorted(maps.Keys(parts))
	for _, id := range ids {
		entries[id] = map[string]any{"description": "Settings whose schema is not known: the provider is not trusted, or has no schema."}
		if parts[id] != nil {
			place := "provider." + id
			var part any
			if err := unmarshal(parts[id], &part); err != nil {
				return nil, fmt.Errorf("schema of provider %s: %w", id, err)
			}
			defs[place], entries[id] = embedded(part, id, place), map[string]any{"description": "The settings of the provider " + id + ".", "$ref": "#/$defs/" + place}
		}
		rules = append(rules, map[string]any{
			"if":   map[string]any{"required": []any{"provider"}, "properties": map[string]any{"provider": map[string]any{"const": id}}},
			"then": map[string]any{"properties": map[string]any{"providers": map[string]any{"required": []any{id}}}},
		})
	}
	if len(ids) > 0 {
		keys["provider"].(map[string]any)["enum"] = ids
		keys["providers"].(map[string]any)["properties"] = entries
		backend["allOf"], root["$defs"] = rules, defs
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(root)
	return b.Bytes(), err
}

// unmarshal keeps numbers as they are written.
func unmarshal(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(to)
}

// embedded is a provider's schema as a part of ours, at a place in $defs. References
// within it are rewritten, since most editors resolve them from the top of the file. One
// with an ID or a dialect of its own stays a resource of its own, as JSON Schema has it.
func embedded(part any, id, place string) any {
	object, ok := part.(map[string]any)
	if !ok {
		return part
	}
	_, named := object["$id"]
	if own, ok := object["$schema"].(string); named || ok && strings.TrimSuffix(own, "#") != dialect {
		if !named {
			object["$id"] = "urn:stagecraft:provider:" + id
		}
		return object
	}
	delete(object, "$schema")
	rebase(object, place)
	return object
}

// values are keywords with values of the configuration, in which nothing is a reference.
var values = []string{"const", "default", "enum", "examples"}

// rebase rewrites the references and anchors in a schema that is moved to a place in $defs.
func rebase(schema any, place string) {
	switch schema := schema.(type) {
	case []any:
		for _, item := range schema {
			rebase(item, place)
		}
	case map[string]any:
		for key, value := range schema {
			text, isText := value.(string)
			switch {
			case isText && (key == "$anchor" || key == "$dynamicAnchor"):
				schema[key] = place + "." + text
			case isText && (key == "$ref" || key == "$dynamicRef"):
				if pointer, ok := strings.CutPrefix(text, "#"); ok && (pointer == "" || pointer[0] == '/') {
					schema[key] = "#/$defs/" + place + pointer
				} else if ok {
					schema[key] = "#" + place + "." + pointer
				}
			case !slices.Contains(values, key):
				rebase(value, place)
			}
		}
	}
}
