package yamldoc_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

func TestFromJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":"x"}`:                     "b: 1\na: x\n",
		`{"a":{"b":{"c":true}}}`:              "a:\n  b:\n    c: true\n",
		`{"a":[1,"two",[3,4],{"b":1,"c":2}]}`: "a:\n  - 1\n  - two\n  - - 3\n    - 4\n  - b: 1\n    c: 2\n",
		`{"a":[],"b":{},"c":null}`:            "a: []\nb: {}\nc: null\n",
		`[{"a":[{"b":[1]}]}]`:                 "- a:\n    - b:\n        - 1\n",
		`"yes"`:                               "\"yes\"\n",
		`{"*":"a b","x: y":"- a","":"~"}`:     "\"*\": a b\n\"x: y\": \"- a\"\n\"\": \"~\"\n",
		`{"a":1e3,"b":-0.5}`:                  "a: 1e3\nb: -0.5\n",
	} {
		got, err := yamldoc.FromJSON([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s: got\n%s%v, want\n%s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "{", `{"a"}`, `[1,]`, "1 2", `{"a":1}}`} {
		if got, err := yamldoc.FromJSON([]byte(in)); err == nil {
			t.Errorf("%q becomes\n%s", in, got)
		}
	}
}

// FuzzQuote wants a string to be read as it was written, and to steer no
// terminal, alone, as a key and in a list.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{
		"", "a b", " a", "a ", "y", "yes", "on", "~", "null", "1", "1e3", "0x1f", "0o7", ".inf", "<<", "=", "- a", "a: b", "a #b", "#", "*a", "&a",
		"!x", "|", ">", "%a", "@a", "`", "{}", "[]", "'", "\"", "\\", "2026-11-23", "12:30:45", "...", "---", "\t", "a\nb", "\x85", "\u2028", "\ufeff",
		"\u202e", "\x1b[2J", "\U0001f600", "\U000e0001", "?", "? a", ":", "-",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip("JSON has no such text")
		}
		q := yamldoc.Quote(s)
		if strings.ContainsFunc(q, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is written as %q", s, q)
		}
		for _, text := range []string{q, "k: " + q, "- " + q, "[" + q + "]"} {
			if n, err := yamldoc.Parse("", []byte(text)); err != nil {
				t.Errorf("%q: %v", text, err)
			} else if got := leaf(n); got.Kind() != yamldoc.KindString || got.Text() != s {
				t.Errorf("%q is read as %s %q", text, got.Kind(), got.Text())
			}
		}
		in, err := json.Marshal(map[string]any{"k": []any{s, map[string]any{s: s}, []string{}}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := yamldoc.FromJSON(in)
		if err != nil {
			if len(q) <= 1000 {
				t.Fatal(err)
			}
			return
		}
		n, err := yamldoc.Parse("", out)
		if err != nil {
			// A key << means something else than itself.
			if s == "<<" {
				return
			}
			t.Fatalf("%v in %.500q", err, out)
		}
		if !sameJSON(t, n.JSON(), in) {
			t.Errorf("%s becomes %s by\n%s", in, n.JSON(), out)
		}
	})
}

func leaf(n *yamldoc.Node) *yamldoc.Node {
	switch n.Kind() {
	case yamldoc.KindMap:
		return n.Get("k")
	case yamldoc.KindList:
		return n.Items()[0]
	}
	return n
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		t.Fatalf("no JSON: %s or %s", a, b)
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return bytes.Equal(p, q)
}

func TestVisible(t *testing.T) {
	for _, r := range "aß日✓ !\"\\é" {
		if !yamldoc.Visible(r) {
			t.Errorf("%q is not visible", r)
		}
	}
	for _, r := range "\x00\x1b\u009b\u00a0\u00ad\u034f\u115f\u180b\u200b\u202e\u2028\u2800\u3164\ufe0f\ufeff\uffa0\ufffd\U000e0041\U000e0101" {
		if yamldoc.Visible(r) {
			t.Errorf("%U is visible", r)
		}
	}
}

func TestWord(t *testing.T) {
	for word, want := range map[string]string{
		"npm": "npm", "--a=b": "--a=b", "": `""`, "a b": `"a b"`, `a"b`: `"a\"b"`, `a\b`: `a\b`, "größe": "größe",
		"a\nb": `"a\nb"`, "\x1b[2J": `"\x1b[2J"`, "npm\u3164": `"npm\u3164"`, "a\u202eb": `"a\u202eb"`, "\xff": `"\xff"`,
	} {
		if got := yamldoc.Word(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}
