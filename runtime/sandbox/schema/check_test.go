package schema

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

func check(schema, value string, texts ...string) *abi.Error {
	return Check(frame.CheckBody{Schema: abi.JSON(schema), Value: abi.JSON(value), Texts: texts})
}

// said writes the problems of an error: the place, the message and the hint.
func said(e *abi.Error) string {
	if e == nil {
		return ""
	}
	var lines []string
	for _, p := range e.Problems {
		line := p.Pointer + " " + p.Message
		if p.Hint != "" {
			line += " (" + strings.ReplaceAll(p.Hint, "\n", "; ") + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestMessages(t *testing.T) {
	for _, tt := range []struct{ schema, value, want string }{
		{`true`, `1`, ""},
		{`{"properties":{"port":{},"host":{}},"additionalProperties":false}`, `{"prot":1}`, `/prot unknown key (did you mean "port"? known here: host, port)`},
		{`{"properties":{"port":{}},"additionalProperties":false,"required":["port","name"]}`, `{"prot":1}`, `/name is required` + "\n" + `/prot unknown key (did you mean "port"? known here: port)`},
		{`{"properties":{"port":{},"all":{}},"additionalProperties":false,"anyOf":[{"required":["port"]},{"required":["all"]}]}`, `{"prot":1}`, `/prot unknown key (did you mean "port"? known here: all, port)`},
		{`{"additionalProperties":false}`, `{"a/b":1}`, `/a~1b unknown key`},
		{`{"properties":{"port":{"description":"the port","examples":[80]}},"required":["port"]}`, `{}`, `/port is required (the port; for example: port: 80)`},
		{`{"properties":{"a":{"description":"d","$ref":"#/$defs/a"}},"$defs":{"a":{"examples":[1]}},"required":["a"]}`, `{}`, `/a is required (d; for example: a: 1)`},
		{`{"anyOf":[{"type":"string"},{"type":"object"}]}`, `null`, ` is null, expected a string or a mapping (write "" for an empty text, or leave the key out)`},
		{`{"type":"string"}`, `null`, ` is null, expected a string (write "" for an empty text, or leave the key out)`},
		{`{"type":["array","null"],"items":{"type":"string"}}`, `{}`, " is a mapping, expected a list, each item a string"},
		{`{"type":"object","additionalProperties":{"type":"boolean"}}`, `1.50`, " is the number 1.50, expected a mapping, each value true or false"},
		{`{"type":"object","properties":{},"additionalProperties":{"type":"boolean"}}`, `[]`, " is a list, expected a mapping"},
		{`{"type":["integer","null","string"]}`, `true`, " is a boolean, expected a whole number or a string"},
		{`{"enum":["trace","warn",1]}`, `"warm"`, ` unknown value "warm" (did you mean "warn"? expected one of trace, warn, 1)`},
		{`{"enum":["none",""]}`, `{}`, ` unknown value {} (expected none)`},
		{`{"const":7}`, `8`, " unknown value 8 (expected 7)"},
		{`{"minLength":1,"description":"a name"}`, `""`, " is empty (a name)"},
		{`{"minLength":3}`, `"a"`, " has 1 character, expected at least 3"},
		{`{"maxLength":1}`, `"ab"`, " has 2 characters, expected at most 1"},
		{`{"pattern":"^a$"}`, `"b"`, ` "b" does not match ^a$`},
		{`{"pattern":"^a$","description":"an a","examples":[["a",1]]}`, `"b"`, ` "b" is not valid (an a; for example: ["a", 1])`},
		{`{"minItems":1}`, `[]`, " is empty"},
		{`{"maxItems":1}`, `[1,2]`, " has 2 items, expected at most 1"},
		{`{"minProperties":2}`, `{"a":1}`, " has 1 key, expected at least 2"},
		{`{"maxProperties":0}`, `{"a":1}`, " has 1 key, expected at most 0"},
		{`{"uniqueItems":true}`, `[1,2,1]`, " has the same item twice: [0] and [2]"},
		{`{"prefixItems":[true],"items":false}`, `[1,2]`, "/1 2 is not allowed"},
		{`{"contains":{"const":1}}`, `[2]`, " has none of the expected items"},
		{`{"contains":{"const":1},"minContains":2}`, `[1]`, " has 1 expected item, expected at least 2"},
		{`{"contains":{"const":1},"maxContains":1}`, `[1,1]`, " has 2 expected items, expected at most 1"},
		{`{"minimum":1}`, `0.5`, " is the number 0.5, expected at least 1"},
		{`{"maximum":1}`, `2`, " is the number 2, expected at most 1"},
		{`{"exclusiveMinimum":1}`, `1`, " is the number 1, expected more than 1"},
		{`{"exclusiveMaximum":1}`, `1`, " is the number 1, expected less than 1"},
		{`{"properties":{"a":{"minimum":1}}}`, `{"a":[1e99999999]}`, "/a/0 is the number 1e99999999, which is out of range"},
		{`{"multipleOf":2}`, `3`, " is the number 3, expected a multiple of 2"},
		{`{"not":{"const":"x"}}`, `"x"`, ` "x" is not allowed`},
		{`{"properties":{"a":false}}`, `{"a":null}`, "/a is not allowed"},
		{`{"propertyNames":{"pattern":"^a","description":"begins with a"}}`, `{"b":1}`, `/b "b" is not a valid key (begins with a)`},
		{`{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, "/b is required with a"},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"a":["b"]},"additionalItems":false}`, `{"a":1}`, "/b is required with a"},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{}],"additionalItems":false}`, `[1,2]`, " has 1 items too many"},
		{`{"if":{"required":["a"]},"then":{"required":["b"]}}`, `{"a":1}`, "/b is required"},
		{`{"anyOf":[{"required":["a"]},{"required":["b"]}]}`, `{}`, " requires a or b"},
		{`{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]}`, `1`, " is the number 1, expected a string or a list, each item a string"},
		{`{"anyOf":[{"type":"string"},{"type":"object","properties":{"port":{"type":"integer"}},"additionalProperties":false}]}`, `{"prot":1}`, `/prot unknown key (did you mean "port"? known here: port)`},
		{`{"description":"what builds","anyOf":[{"enum":["docker"]},{"pattern":"^tcp:"}]}`, `"dockr"`, ` unknown value "dockr" (did you mean "docker"? expected docker; what builds)`},
		{`{"oneOf":[{"type":"integer"},{"minimum":2}]}`, `3`, " matches several alternatives, expected one"},
		{`{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{"a":1,"b":1}`, " has a and b, expected one of them"},
		{`{"oneOf":[{"type":"integer"},{"type":"null"}]}`, `"a"`, ` is a string, expected a whole number or null`},
		{`{"allOf":[{"type":"string"},{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":"string"}}}`, `1`, " is the number 1, expected a string"},
		{`{"items":{"$ref":"#/$defs/a b"},"$defs":{"a b":{"properties":{"port":{}},"additionalProperties":false}}}`, `[{"prt":1}]`, `/0/prt unknown key (did you mean "port"? known here: port)`},
		{`{"unevaluatedProperties":false,"properties":{"a":true}}`, `{"b":1}`, "/b 1 is not allowed"},
	} {
		if got := said(check(tt.schema, tt.value)); got != tt.want {
			t.Errorf("%s\n%s: got\n%s\nwant\n%s", tt.schema, tt.value, got, tt.want)
		}
	}
}

// TestTexts: values that are text have no other form for the user.
func TestTexts(t *testing.T) {
	const schema = `{"properties":{"env":{"type":"object","additionalProperties":{"type":["string","number","boolean"]}}}}`
	for value, want := range map[string]string{
		`{"env":{"A":null}}`: `/env/A is null, expected a string (write "" for an empty text, or leave the key out)`,
		`{"env":[]}`:         "/env is a list, expected a mapping, each value a string",
	} {
		if got := said(check(schema, value, "/env")); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
	if got, want := said(check(schema, `{"env":{"A":[]}}`, "/en")), "/env/A is a list, expected a string, a number or true or false"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestManyProblems(t *testing.T) {
	items := strings.Repeat("1,", 1000)
	e := check(`{"items":{"type":"string"}}`, "["+items+"1]")
	if len(e.Problems) != maxProblems || e.Problems[0].Pointer != "/0" {
		t.Errorf("got %d problems, first %+v", len(e.Problems), e.Problems[0])
	}
	keys := make(map[string]bool)
	for i := range 1000 {
		keys[fmt.Sprintf("key%04d", i)] = true
	}
	properties, err := json.Marshal(map[string]any{"properties": keys, "additionalProperties": false})
	if err != nil {
		t.Fatal(err)
	}
	e = check(string(properties), `{"kex0999":1}`)
	if hint := e.Problems[0].Hint; len(hint) > 1000 || !strings.HasPrefix(hint, "known here: key0000, ") {
		t.Errorf("got %s", hint)
	}
	e = check(`{"enum":["a"]}`, `"`+strings.Repeat("x", 10_000)+`"`)
	if len(e.Problems[0].Message) > 100 {
		t.Errorf("got %s", e.Problems[0].Message)
	}
}

func TestBadSchemas(t *testing.T) {
	for schema, want := range map[string]string{
		`[]`:                                "it is a list, expected a mapping",
		`null`:                              "it is null, expected a mapping",
		`"x"`:                               "it is a string, expected a mapping",
		`{`:                                 "unexpected EOF",
		`{"type":"int"}`:                    `/type: unknown value "int"`,
		`{"properties":{"a":{"type":7}}}`:   "/properties/a/type: unknown value 7",
		`{"minLength":-1}`:                  "/minLength: is the number -1, expected at least 0",
		`{"pattern":"(a"}`:                  "/pattern: ",
		`{"pattern":"(?=a)"}`:               "/pattern: ",
		`{"$ref":"https://example.com/s"}`:  "it refers to https://example.com/s, and may refer only to itself",
		`{"$ref":"file:///etc/passwd"}`:     "it refers to file:///etc/passwd, and may refer only to itself",
		`{"$ref":"other.json"}`:             "it refers to other.json, and may refer only to itself",
		`{"$ref":"#/$defs/none"}`:           "/$defs/none",
		`{"$ref":"#none"}`:                  "none",
		`{"$schema":"https://example.com"}`: "it refers to https://example.com, and may refer only to itself",
		`{"$ref":"#"}`:                      "a reference leads to itself without end",
		`{"$dynamicAnchor":"a","$dynamicRef":"#a"}`:                                        "a reference leads to itself without end",
		`{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}`: "a reference leads to itself without end",
		strings.Repeat(`{"not":`, 101) + "true" + strings.Repeat("}", 101):                 "it is nested more than 100 deep",
		strings.Repeat(`[`, 20_000):                                                        "exceeded max depth",
	} {
		e := check(schema, `{}`)
		if e == nil || len(e.Problems) > 0 || !strings.Contains(e.Message, want) || strings.Contains(e.Message, "loading") {
			t.Errorf("%.200s: got %v, want %s", schema, e, want)
		}
	}
	for _, schema := range []string{`{"$ref":"https://json-schema.org/draft/2020-12/schema"}`, `{"$id":"https://example.com/s","$ref":"https://example.com/s#/$defs/a","$defs":{"a":true}}`,
		strings.Repeat(`{"not":`, 98) + "true" + strings.Repeat("}", 98)} {
		if e := check(schema, `{}`); e != nil && len(e.Problems) == 0 {
			t.Errorf("%s: %v", schema, e)
		}
	}
}

// seeds are the schemas of the built-in providers.
func seeds(t testing.TB) []string {
	var found []string
	files, err := filepath.Glob("../../../providers/*/schema.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no schemas", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile("(?s)const schema = `(.*)`").FindSubmatch(data)
		if m == nil {
			t.Fatalf("%s has no schema", file)
		}
		found = append(found, string(m[1]))
	}
	return found
}

// FuzzCheck requires an answer for any schema and value, with problems that have places
// in the value and can be shown.
func FuzzCheck(f *testing.F) {
	for _, schema := range seeds(f) {
		f.Add(schema, `{"dev":{"comand":[],"env":{"A":null}},"build":{"network":1}}`, "/dev/env")
	}
	f.Add(`{"anyOf":[{"oneOf":[{"not":{}},{"$ref":"#"}]},{"contains":{"const":1}}]}`, `[1,{"a/~":null}]`, "/0")
	f.Add(`{"$dynamicAnchor":"n","properties":{"a":{"$dynamicRef":"#n"}},"unevaluatedProperties":false,"minimum":1e5}`, `{"a":{"b":1e400}}`, "")
	f.Fuzz(func(t *testing.T, schema, value, text string) {
		if !json.Valid([]byte(value)) || len(schema) > 4096 || len(value) > 4096 {
			return
		}
		e := check(schema, value, text)
		if e == nil {
			return
		}
		if len(e.Problems) == 0 && e.Message == "" {
			t.Error("no reason")
		}
		var tree any
		if err := json.Unmarshal([]byte(value), &tree); err != nil {
			return
		}
		for _, p := range e.Problems {
			if p.Message == "" || p.Pointer != "" && p.Pointer[0] != '/' {
				t.Errorf("got %+v", p)
			}
			parent := p.Pointer[:max(0, strings.LastIndexByte(p.Pointer, '/'))]
			if _, ok := lookup(tree, parent); !ok && !slices.Contains([]string{"", "/"}, parent) {
				t.Errorf("%+v is nowhere in %s", p, value)
			}
		}
	})
}
