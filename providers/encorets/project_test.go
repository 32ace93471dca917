package main

import "testing"

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
			problem = brokenAt("a/encore.app", err)
		}
		if id != want.id || problem != want.problem {
			t.Errorf("%q: got %q, %q, want %q, %q", text, id, problem, want.id, want.problem)
		}
	}
}
