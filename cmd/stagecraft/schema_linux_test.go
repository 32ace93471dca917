package main_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// hostileSchemas are schemas that cannot be used, with the reason that the user gets. The
// value is {text: "aaa..."}.
func hostileSchemas() map[string]struct{ schema, want string } {
	deep := func(n int) string { return strings.Repeat(`{"not":`, n) + "true" + strings.Repeat("}", n) }
	doubled := func(keyword string) string {
		var b strings.Builder
		b.WriteString(`{"$ref":"#/$defs/a0","$defs":{`)
		for i := range 60 {
			next := `{"$ref":"#/$defs/a` + strconv.Itoa(i+1) + `"}`
			b.WriteString(`"a` + strconv.Itoa(i) + `":{"` + keyword + `":[` + next + "," + next + "]},")
		}
		b.WriteString(`"a60":{"required":["never"]}}}`)
		return b.String()
	}
	many := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	return map[string]struct{ schema, want string }{
		"remote reference":       {`{"$ref":"http://127.0.0.1:1/schema.json"}`, "it refers to http://127.0.0.1:1/schema.json, and may refer only to itself"},
		"reference to a file":    {`{"$ref":"file:///etc/passwd"}`, "it refers to file:///etc/passwd, and may refer only to itself"},
		"relative reference":     {`{"$ref":"../../secret.json"}`, "and may refer only to itself"},
		"remote dialect":         {`{"$schema":"https://example.com/meta"}`, "it refers to https://example.com/meta, and may refer only to itself"},
		"remote ID":              {`{"$id":"https://example.com/a/b","$ref":"c"}`, "it refers to https://example.com/a/c, and may refer only to itself"},
		"reference to itself":    {`{"$ref":"#"}`, "a reference leads to itself without end"},
		"references in a circle": {`{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}}}`, "a reference leads to itself without end"},
		"dynamic references":     {`{"$dynamicAnchor":"a","allOf":[{"$dynamicRef":"#a"}]}`, "a reference leads to itself without end"},
		"nested 101 deep":        {deep(101), "it is nested more than 100 deep"},
		"nested 9,900 deep":      {deep(9900), "it is nested more than 100 deep"},
		"too large":              {`{"enum":[` + many(60_000, `"aaaa"`) + `]}`, "it has 420010 bytes, the limit is 262144"},
		"list":                   {`[{"type":"object"}]`, "it is a list, expected a mapping"},
		"text":                   {`"object"`, "it is a string, expected a mapping"},
		"invalid keyword":        {`{"properties":{"text":{"type":"text"}}}`, `/properties/text/type: unknown value "text"`},
		"invalid pattern":        {`{"properties":{"text":{"pattern":"(a"}}}`, "/properties/text/pattern"},
		"doubled by allOf":       {doubled("allOf"), "its computing time is limited to 2s"},
		"doubled by anyOf":       {doubled("anyOf"), "its computing time is limited to 2s"},
		"doubled by oneOf":       {doubled("oneOf"), "its computing time is limited to 2s"},
		"control characters":     {`{"$ref":"https://\u001b[31m/\u202e"}`, "config_schema is not usable: "},
	}
}

// TestHostileSchemas requires a schema that cannot be used to be an error of its provider,
// for which nothing is loaded and no module is asked.
func TestHostileSchemas(t *testing.T) {
	for name, tt := range hostileSchemas() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := describedBy(t, tt.schema)
			w.Want(t, 0, "provider", "trust", "--yes", "bad")
			stdout, stderr, code := w.Run(t, "dev")
			if code != 4 || stdout != "" || !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, "bad.wasm: its config_schema is not usable: ") {
				t.Errorf("exit code %d, got\n%s%s\nwant %s", code, stdout, stderr, tt.want)
			}
			if strings.ContainsAny(stderr, "\x1b\u202e") || len(stderr) > 2000 {
				t.Errorf("got %q", stderr)
			}
		})
	}
}

// TestCostlySchemas requires schemas that are hard to evaluate for others to be evaluated
// like any.
func TestCostlySchemas(t *testing.T) {
	for name, tt := range map[string]struct {
		schema, want string
		code         int
	}{
		"catastrophic pattern": {`{"properties":{"text":{"pattern":"^(a|a)*(a|aa)+$(a*)*$"}}}`, "", 0},
		"another one":          {`{"properties":{"text":{"pattern":"^(a+)+b$"}}}`, "backend.providers.bad.text: \"aaaa", 78},
		"large enum":           {`{"properties":{"text":{"enum":["` + strings.Repeat(`b","`, 30_000) + `b"]}}}`, "backend.providers.bad.text: unknown value", 78},
		"anything":             {`true`, "", 0},
		"nothing":              {`false`, "backend.providers.bad: {\"text\"", 78},
		"nested 99 deep":       {strings.Repeat(`{"not":`, 98) + "true" + strings.Repeat("}", 98), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := describedBy(t, tt.schema)
			w.Want(t, 0, "provider", "trust", "--yes", "bad")
			_, stderr, code := w.Run(t, "dev")
			if code != tt.code || !strings.Contains(stderr, tt.want) || len(stderr) > 2000 {
				t.Errorf("exit code %d, got\n%s\nwant %d, %s", code, stderr, tt.code, tt.want)
			}
		})
	}
}

// describedBy is a project with a provider that has the schema.
func describedBy(t *testing.T, schema string) clitest.Workspace {
	t.Helper()
	w := clitest.NewWorkspace(t, "")
	template, err := os.ReadFile(filepath.Join(clitest.Root(), "runtime", "sandbox", "testdata", "described.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	module, err := clitest.Described(template, "bad", []byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	w.Write(t, "stagecraft.yml", []byte("backend: {provider: bad, providers: {bad: {text: "+strings.Repeat("a", 100)+"}}}\n"))
	w.Write(t, ".stagecraft/providers/bad.wasm", module)
	return w
}

// TestDeepSchema has a schema that is nested too deep for a JSON parser.
func TestDeepSchema(t *testing.T) {
	w := describedBy(t, strings.Repeat(`{"not":`, 100_000)+"true"+strings.Repeat("}", 100_000))
	_, stderr, code := w.Run(t, "provider", "trust", "--yes", "bad")
	if code != 4 || !strings.Contains(stderr, "bad.wasm: its reply is not JSON") {
		t.Errorf("exit code %d, got\n%s", code, stderr)
	}
}
