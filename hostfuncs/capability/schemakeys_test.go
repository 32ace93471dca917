package capability

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// partOf is the value at keys of a schema.
func partOf(t *testing.T, schema any, keys ...string) any {
	t.Helper()
	for _, key := range keys {
		object, ok := schema.(map[string]any)
		if !ok || object[key] == nil {
			t.Fatalf("the schema has no %v", keys)
		}
		schema = object[key]
	}
	return schema
}

func texts(list any) (all []string) {
	for _, item := range list.([]any) {
		all = append(all, item.(string))
	}
	return all
}

// TestSchemaKeys requires the schema to have exactly the keys and words that the parser
// knows.
func TestSchemaKeys(t *testing.T) {
	var schema any
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	var known []string
	for name, key := range partOf(t, schema, "$defs", "section", "properties").(map[string]any) {
		if strings.Contains(name, ".") {
			t.Errorf("the key %s has a dot", name)
		}
		nested, ok := key.(map[string]any)["properties"].(map[string]any)
		if !ok || name == "limits" {
			known = append(known, name)
			continue
		}
		for under := range nested {
			known = append(known, name+"."+under)
		}
	}
	want := slices.Sorted(maps.Keys(keysByName()))
	if slices.Sort(known); !slices.Equal(known, want) {
		t.Errorf("keys: got %v, want %v", known, want)
	}
	accepted := []string{"properties", "accept", "items", "properties"}
	for _, tt := range []struct {
		words []string
		path  []string
	}{
		{modes, []string{"$defs", "confine", "enum"}},
		{toolchains, []string{"$defs", "section", "properties", "use", "items", "enum"}},
		{socketNames, []string{"$defs", "section", "properties", "sockets", "items", "enum"}},
		{findingNames, append(slices.Clone(accepted), "finding", "enum")},
		{ruleKeys(), append(slices.Clone(accepted), "key", "enum")},
	} {
		got, want := texts(partOf(t, schema, tt.path...)), slices.Sorted(slices.Values(tt.words))
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", tt.path, got, want)
		}
	}
	if got := slices.Sorted(maps.Keys(partOf(t, schema, accepted...).(map[string]any))); !slices.Equal(got, slices.Sorted(slices.Values(acceptKeys))) {
		t.Errorf("accept: got %v", got)
	}
}
