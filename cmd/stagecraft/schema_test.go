package main_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/internal/schematest"
)

// TestSchemas requires each printed schema to be valid under the meta-schema and to describe
// each key, that of the configuration with the built-in providers.
func TestSchemas(t *testing.T) {
	w := clitest.NewWorkspace(t, "")
	for _, format := range []string{"config", "policy", "lock", "policy-test", "audit"} {
		stdout, stderr, code := w.Run(t, "schema", format)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, %s", format, code, stderr)
		}
		schematest.Compile(t, []byte(stdout))
	}
}

// TestSchemaOfConfig requires the schema to accept the configuration of each example, and to
// refuse what validate does.
func TestSchemaOfConfig(t *testing.T) {
	w := clitest.NewWorkspace(t, "")
	stdout, _, _ := w.Run(t, "schema", "config")
	compiled := schematest.Compile(t, []byte(stdout))
	found := 0
	for name, text := range schematest.Texts(t, clitest.Root(), "backend:", "providers:") {
		if strings.HasPrefix(name, "examples/custom-provider") || !strings.HasPrefix(name, "examples/") {
			continue
		}
		found++
		if err := schematest.Validate(compiled, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found < 3 {
		t.Errorf("found %d examples", found)
	}
	for name, text := range map[string]string{
		"unknown key":      "backend: {provider: generic, providers: {generic: {dev: {comand: [a]}}}}",
		"unknown provider": "backend: {provider: generci, providers: {generci: {}}}",
		"no entry":         "backend: {provider: generic, providers: {encore-ts: {dev: {entrypoint: a}}}}",
		"wrong type":       "backend: {provider: encore-ts, providers: {encore-ts: {dev: {entrypoint: 1}}}}",
	} {
		if schematest.Validate(compiled, text) == nil {
			t.Errorf("%s is accepted", name)
		}
		w.Write(t, "stagecraft.yml", []byte(text))
		w.Want(t, 78, "validate")
	}
}
