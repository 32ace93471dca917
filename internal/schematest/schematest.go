// Package schematest tests a JSON Schema against the parser of the same format.
package schematest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

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

// described requires a description for each property.
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
			if property["description"] == nil && !strings.Contains(at, "/if") && !strings.Contains(at, "/then") {
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

// Agreed requires schema and parser to agree on each text, by name. Of those in unsaid, the
// schema does not say what is wrong.
func Agreed(t *testing.T, schema []byte, parse func(text string) error, texts map[string]string, unsaid ...string) {
	t.Helper()
	compiled := Compile(t, schema)
	for name, text := range texts {
		bySchema, byParser := Validate(compiled, text), parse(text)
		if (bySchema == nil) != (byParser == nil) && !(bySchema == nil && slices.Contains(unsaid, name)) {
			t.Errorf("%s:\nschema: %v\nparser: %v", name, bySchema, byParser)
		}
	}
}

// Texts returns the YAML files of all scripts and examples that contain all of the words,
// by name. root is the repository.
func Texts(t testing.TB, root string, words ...string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	add := func(name, text string) {
		if filepath.Ext(name) == ".yml" && !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
			found[name] = text
		}
	}
	scripts, err := filepath.Glob(filepath.Join(root, "cmd/stagecraft/testdata/script/*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			add(filepath.Base(script)+"/"+file.Name, string(file.Data))
		}
	}
	err = fs.WalkDir(os.DirFS(filepath.Join(root, "examples")), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(root, "examples", name))
		add("examples/"+name, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
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
