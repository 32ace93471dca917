package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/schematest"
)

// parts are the schemas of two providers: one that is known, and one that is not.
var parts = map[string]json.RawMessage{"generic": json.RawMessage("true"), "encore-ts": nil}

func parseText(text string) error {
	_, err := parse("f", []byte(text), known)
	return err
}

func TestSchemaAgrees(t *testing.T) {
	data, err := Schema(parts)
	if err != nil {
		t.Fatal(err)
	}
	const end = "\nbackend: {provider: generic, providers: {generic: {}}}"
	c := schematest.Corpus{
		Accepted: []string{
			whole, "x-anchors: {a: [1]}" + end, "project: {}" + end, "build: {}" + end, "build: {engine: ''}" + end, "build: {engine: docker}" + end,
			"build: {engine: 'buildkit+unix:///run/b.sock'}" + end, "project: {name: a__b-c.d}" + end,
			"backend: {provider: encore-ts, providers: {encore-ts: 7, generic: }}",
		},
		Unsaid: map[string]string{
			"project: {registry: '" + strings.Repeat("a", 260) + "'}" + end: "the limit is on the host without the port and the path together",
		},
		Stricter: map[string]string{
			"build: {engine: podman}" + end:                "the parser of engines refuses it, after this one",
			"build: {engine: 'buildkit+http://a:1'}" + end: "the same",
		},
	}
	for _, registry := range registries {
		c.Accepted = append(c.Accepted, "project: {registry: '"+registry+"'}"+end)
	}
	for _, tt := range problems {
		c.Rejected = append(c.Rejected, tt.in)
	}
	schematest.Agree(t, data, parseText, c)
}

// TestTextsAgree takes the configurations of all scripts and examples. No provider is asked
// about its own part.
func TestTextsAgree(t *testing.T) {
	texts := schematest.Texts(t, "../..", "backend:")
	if len(texts) < 200 {
		t.Errorf("found %d configurations", len(texts))
	}
	for name, text := range texts {
		// The parser of engines refuses it, after this one.
		if strings.Contains(text, "engine: dockr") {
			delete(texts, name)
		}
	}
	data, err := Schema(parts)
	if err != nil {
		t.Fatal(err)
	}
	schematest.Agreed(t, data, parseText, texts)
}

func FuzzSchemaAgrees(f *testing.F) {
	data, err := Schema(parts)
	if err != nil {
		f.Fatal(err)
	}
	compiled := schematest.Compile(f, data)
	f.Add(whole)
	for _, tt := range problems {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// The schema says less of long registries, and more of engines.
		if parseText(text) != nil || strings.Contains(text, "engine") {
			return
		}
		if err := schematest.Validate(compiled, text); err != nil {
			t.Errorf("%q is accepted by the parser alone: %v", text, err)
		}
	})
}

// TestPartsAreEmbedded requires each provider's schema to mean the same within ours.
func TestPartsAreEmbedded(t *testing.T) {
	for name, part := range map[string]string{
		"local reference": `{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"n":{"type":"object"}},"properties":{"a":{"$ref":"#/$defs/n","description":"d"}},"additionalProperties":false,"default":{"$ref":"#"}}`,
		"itself":          `{"properties":{"a":{"$ref":"#","description":"d"}},"additionalProperties":false,"type":"object"}`,
		"anchor":          `{"$defs":{"n":{"$anchor":"n","type":"object"}},"properties":{"a":{"$ref":"#n","description":"d"}},"additionalProperties":false}`,
		"dynamic anchor":  `{"$dynamicAnchor":"n","type":"object","properties":{"a":{"$dynamicRef":"#n","description":"d"}},"additionalProperties":false}`,
		"another dialect": `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"n":{"type":"object"}},"properties":{"a":{"$ref":"#/definitions/n","description":"d"},"b":{"items":[{"type":"string"}],"description":"d"}},"additionalProperties":false}`,
		"an ID":           `{"$id":"https://example.com/s","$defs":{"n":{"type":"object"}},"properties":{"a":{"$ref":"#/$defs/n","description":"d"}},"additionalProperties":false}`,
	} {
		t.Run(name, func(t *testing.T) {
			// Another one with the same anchors beside it.
			data, err := Schema(map[string]json.RawMessage{"mine": json.RawMessage(part), "other": json.RawMessage(`{"$anchor":"n","$defs":{"n":{"$dynamicAnchor":"n2"}}}`)})
			if err != nil {
				t.Fatal(err)
			}
			compiled := schematest.Compile(t, data)
			for text, want := range map[string]bool{"{a: {}}": true, "{}": true, "{a: 1}": false, "{c: 1}": false} {
				err := schematest.Validate(compiled, "backend: {provider: mine, providers: {mine: "+text+"}}")
				if (err == nil) != want {
					t.Errorf("%s: %v", text, err)
				}
			}
		})
	}
}

func TestSchemaIsDeterministic(t *testing.T) {
	first, err := Schema(parts)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, err := Schema(parts); err != nil || !bytes.Equal(again, first) {
			t.Fatalf("got another schema: %v", err)
		}
	}
	if _, err := Schema(map[string]json.RawMessage{"bad": json.RawMessage("{")}); err == nil || !strings.Contains(err.Error(), "provider bad") {
		t.Errorf("got %v", err)
	}
}

// TestSchemaLine requires a configuration with the line to be read, and the file beside
// the providers of the project, in a directory that a project has anyway.
func TestSchemaLine(t *testing.T) {
	file := writeConfig(t, SchemaLine+"\n"+whole)
	if _, err := Load(file, known); err != nil {
		t.Error(err)
	}
	path, ok := strings.CutPrefix(SchemaLine, "# yaml-language-server: $schema=")
	if !ok || !filepath.IsLocal(path) {
		t.Errorf("the line is %q", SchemaLine)
	}
	doc, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), SchemaLine) || !strings.Contains(string(doc), "stagecraft schema config >"+SchemaFile) {
		t.Error("docs/config.md does not have the line, or the command that writes the file")
	}
}
