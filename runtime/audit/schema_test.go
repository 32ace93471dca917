package audit_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/schematest"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// logs are whole logs: that of the format, and one of an earlier version.
var logs = []string{"testdata/format.golden", "../../cmd/stagecraft/testdata/before/project/audit.jsonl"}

func records(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, file := range logs {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(strings.TrimSpace(string(data)), "\n")...)
	}
	return all
}

func parseRecord(line string) error {
	if !audit.ParseRecord(line) {
		return errors.New("not a record")
	}
	return nil
}

func TestSchemaAgrees(t *testing.T) {
	c := schematest.Corpus{
		Accepted: append(records(t), `{"type":"later","field":[1]}`, `{"type":"start","policies":null,"time":"2026-07-05T12:00:00+02:00"}`),
		Rejected: []string{
			`{}`, `[]`, `"start"`, `{"type":""}`, `{"type":1}`, `{"type":"call","seq":"1"}`, `{"type":"call","seq":1.5}`, `{"type":"call","policies":{}}`, `{"type":"call","policies":[1]}`,
			`{"type":"call","time":"yesterday"}`, `{"type":"call","layers":[{"line":"1"}]}`, `{"type":"call","unchanged":"yes"}`, `{"type":"end","duration_ms":"1"}`, `{"type":"end","error":"x"}`,
			`{"type":"start","versions":{"go":1}}`, `{"type":"start","config":"stagecraft.yml"}`, `{"type":"end","changed":[{"file":1}]}`, `{"type":"end","exit_code":"0"}`,
		},
		Unsaid: map[string]string{
			`{"type":"call","time":"2026-13-45T99:00:00Z"}`: "a pattern does not know the calendar",
			`{"type":"call","seq":99999999999999999999}`:    "JSON has integers of any size",
		},
		Stricter: map[string]string{`{"type":"call","rule":null}`: "Go reads null as nothing, and no version writes it"},
	}
	schematest.Agree(t, audit.Schema, parseRecord, c)
}

// TestSchemaKeys requires the schema to have exactly the fields of a record.
func TestSchemaKeys(t *testing.T) {
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(audit.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	fields := reflect.VisibleFields(reflect.TypeFor[audit.Record]())
	for _, f := range fields {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if schema.Properties[name] == nil {
			t.Errorf("the schema does not have %s", name)
		}
	}
	if len(fields) != len(schema.Properties) {
		t.Errorf("the schema has %d fields, a record %d", len(schema.Properties), len(fields))
	}
}

// TestWrittenRecords requires the schema to accept what [audit.Log] writes, with each
// field empty.
func TestWrittenRecords(t *testing.T) {
	compiled := schematest.Compile(t, audit.Schema)
	for _, of := range []string{audit.TypeStart, audit.TypeBegin, audit.TypeCall, audit.TypeEnd} {
		line, err := audit.LineOf(&audit.Record{Type: of})
		if err != nil {
			t.Fatal(err)
		}
		if err := schematest.Validate(compiled, string(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
