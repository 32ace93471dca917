package main

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

func TestAppID(t *testing.T) {
	for text, want := range map[string]struct{ id, problem string }{
		`{"id": "shop-xy"}`: {"shop-xy", ""},
		"{\n\t\"id\": \"\",\n\t\"lang\": \"typescript\",\n}\n":       {"", ""}, // as encore app init writes it
		"// {\"id\": \"no\"}\n{/* \"id\": \"no\" */ \"id\": \"a\",}": {"a", ""},
		`{"url": "http://x", "id": "a//b"}`:                          {"a//b", ""},
		`{"global": {"id": "no"}}`:                                   {"", ""},
		`{"id": null}`:                                               {"", ""},
		"":                                                           {"", "a/encore.app:1:1: parsing value: unexpected EOF"},
		"{\n  \"id\" \"a\"}":                                         {"", "a/encore.app:2:8: invalid character '\"' after object name"},
		`{"id": 5}`:                                                  {"", "a/encore.app: id: expected a string, got number"},
		`["id"]`:                                                     {"", "a/encore.app: expected an object, got array"},
	} {
		id, err := appID([]byte(text))
		problem := ""
		if err != nil {
			problem = brokenAt("a/encore.app", []byte(text), err)
		}
		if id != want.id || problem != want.problem {
			t.Errorf("%q: got %q, %q, want %q, %q", text, id, problem, want.id, want.problem)
		}
	}
}

// FuzzAppID compares the reader of encore.app with the one that encore uses, except for
// invalid UTF-8 in comments, which only encore refuses.
func FuzzAppID(f *testing.F) {
	for _, seed := range []string{
		"{\"id\": \"a\", // b\n /* c */ \"d\": [1, 2,],}", `{"id":null,}`, `{,}`, `[,]`, `[1,,]`, `{"id":"/*\"//",}`, `/* open`, `// end`, `"x`, `{"id" /**/ : 1 // x
}`, `/`, `[1 /* * */, ]`, `{"a":1,}]`, `{id: 1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !utf8.Valid(data) {
			return
		}
		id, err := appID(data)
		plain, broken := hujson.Standardize(append([]byte(nil), data...))
		if (broken != nil) != isSyntax(err) {
			t.Fatalf("%q: got %v, want %v", data, err, broken)
		}
		var app struct {
			ID string `json:"id"`
		}
		if err == nil && json.Unmarshal(plain, &app) == nil && id != app.ID {
			t.Errorf("%q: got %q, want %q", data, id, app.ID)
		}
	})
}

func isSyntax(err error) bool {
	_, ok := errors.AsType[*abi.SyntaxError](err)
	return ok
}
