// Package schematest tests a JSON Schema against the parser of the same format.
package schematest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Compile compiles a schema, which must be valid under the meta-schema of 2020-12, refer
// to nothing outside, and describe each key.
func Compile(t testing.TB, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	if object, _ := doc.(map[string]any); object["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Fatalf("$schema is %v", object["$schema"])
	}
	described(t, "#", doc)
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{})
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// described requires a description for each property, or a reference to what has one.
func described(t testing.TB, at string, schema any) {
	t.Helper()
	switch schema := schema.(type) {
	case []any:
		for i, item := range schema {
			described(t, fmt.Sprint(at, "/", i), item)
		}
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		for key, value := range properties {
			property, _ := value.(map[string]any)
			// A condition says nothing new of a key.
			if property["description"] == nil && property["$ref"] == nil && !strings.Contains(at, "/if") && !strings.Contains(at, "/then") {
				t.Errorf("%s/properties/%s has no description", at, key)
			}
		}
		for key, value := range schema {
			if key != "enum" && key != "const" && key != "default" && key != "examples" {
				described(t, at+"/"+key, value)
			}
		}
	}
}

// Corpus has examples of a format, in YAML.
type Corpus struct {
	// Accepted and Rejected by schema and parser.
	Accepted, Rejected []string
	// Unsaid are rejected by the parser alone, with the reason why the schema cannot say
	// so.
	Unsaid map[string]string
	// Stricter are rejected by the schema alone, with the reason.
	Stricter map[string]string
}

// Agree requires schema and parser to agree on each example.
func Agree(t *testing.T, schema []byte, parse func(text string) error, c Corpus) {
	t.Helper()
	compiled := Compile(t, schema)
	check := func(text string, wantSchema, wantParser bool) {
		t.Helper()
		bySchema, byParser := Validate(compiled, text), parse(text)
		if (bySchema == nil) != wantSchema || (byParser == nil) != wantParser {
			t.Errorf("%s\nschema (accepts: %t): %v\nparser (accepts: %t): %v", text, wantSchema, bySchema, wantParser, byParser)
		}
	}
	for _, text := range c.Accepted {
		check(text, true, true)
	}
	for _, text := range c.Rejected {
		check(text, false, false)
	}
	for text := range c.Unsaid {
		check(text, true, false)
	}
	for text := range c.Stricter {
		check(text, false, true)
	}
}

// Validate checks a text by a schema. A text that is not YAML has no value to check, and
// is an error.
func Validate(schema *jsonschema.Schema, text string) error {
	root, err := yamldoc.Parse("example", []byte(text))
	if err != nil {
		return err
	}
	return ValidateJSON(schema, root.JSON())
}

// ValidateJSON checks a JSON value.
func ValidateJSON(schema *jsonschema.Schema, data json.RawMessage) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}
