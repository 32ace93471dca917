package yamldoc_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

func TestJSON(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", `null`},
		{"comment alone", "# nothing\n", `null`},
		{"null", "a: ~\nb: null\nc:\n", `{"a":null,"b":null,"c":null}`},
		{"booleans", "a: true\nb: False\nc: yes\nd: off\n", `{"a":true,"b":false,"c":"yes","d":"off"}`},
		{"integers", "[0, -1, +7, 9007199254740993, 18446744073709551615]", `[0,-1,7,9007199254740993,18446744073709551615]`},
		{"integer beyond 64 bits", "a: 123456789012345678901234567890", `{"a":123456789012345678901234567890}`},
		{"negative beyond 64 bits", "a: -123456789012345678901234567890", `{"a":-123456789012345678901234567890}`},
		{"integer beyond a float", "a: 1" + strings.Repeat("0", 400), `{"a":1` + strings.Repeat("0", 400) + `}`},
		{"other bases beyond 64 bits", "[0x10000000000000000, -0x1_0000_0000_0000_0000, 0o2000000000000000000000, 0b1" + strings.Repeat("0", 64) + "]",
			`[18446744073709551616,-18446744073709551616,18446744073709551616,18446744073709551616]`},
		{"quoted numbers", `["0x10000000000000000", '1', "1e400"]`, `["0x10000000000000000","1","1e400"]`},
		{"nearly numbers", "[0x, 1.2.3, 1-2, 0xg, 1_a, 12:30]", `["0x","1.2.3","1-2","0xg","1_a","12:30"]`},
		{"leading zeros", "[0777, 08, -08, 00, -0]", `[511,8,-8,0,0]`},
		{"other bases", "[0x1F, 0o17, 0b101, 1_000]", `[31,15,5,1000]`},
		{"floats", "[1.5, -0.25, 1e3, 6.02E23, .5, 1_0.5]", `[1.5,-0.25,1e3,6.02E23,0.5,10.5]`},
		{"floats beyond 64 bits", "[1e400, 1e-400, -2.5E+999]", `[1e400,1e-400,-2.5E+999]`},
		{"float digit for digit", "a: 0.1000000000000000055511151231257827", `{"a":0.1000000000000000055511151231257827}`},
		{"timestamps", "[2026-11-23, 2026-11-23T10:00:00Z]", `["2026-11-23","2026-11-23T10:00:00Z"]`},
		{"strings", `["a", 'b', "\u00e9 \"x\"", "1", "<&>"]`, `["a","b","é \"x\"","1","<&>"]`},
		{"block strings", "a: |\n  x\n  y\nb: >\n  x\n  y\n", `{"a":"x\ny\n","b":"x y\n"}`},
		{"order of keys", "b: 1\na: 2\n", `{"b":1,"a":2}`},
		{"nested", "a: {b: {c: [1, {d: 2}]}}", `{"a":{"b":{"c":[1,{"d":2}]}}}`},
		{"anchor", "a: &x {k: 1}\nb: *x\n", `{"a":{"k":1},"b":{"k":1}}`},
		{"merge", "a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 9\n", `{"a":{"k":1,"l":2},"b":{"k":9,"l":2}}`},
		{"merge of a list", "a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}\n", `{"a":{"k":1},"b":{"k":2,"m":3},"c":{"k":1,"m":3}}`},
		{"merge of an empty list", "a: {<<: []}", `{"a":{}}`},
		{"merge sign as a value", "a: <<\nb: [<<]\n", `{"a":"<<","b":["<<"]}`},
		{"quoted merge sign", `"<<": {a: 1}`, `{"<<":{"a":1}}`},
		{"key by an alias", "a: &x k\n*x : 1\n", `{"a":"k","k":1}`},
		{"quoted key", `"1": a`, `{"1":"a"}`},
		{"date as a key", "2026-11-23: a", `{"2026-11-23":"a"}`},
		{"byte order mark", "\ufeffa: 1", `{"a":1}`},
		{"byte order mark and lines of Windows", "\ufeffa:\r\n  b: |\r\n    x\r\n    y\r\n", `{"a":{"b":"x\ny\n"}}`},
		{"lines that end with a carriage return alone", "a: 1\rb: 2\r", `{"a":1,"b":2}`},
		{"string tag", "a: !!str 5", `{"a":"5"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := yamldoc.Parse("f.yml", []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(n.JSON()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for _, c := range "bcdef" {
		prev := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+prev+", ", 9) + "*" + prev + "]\n"
	}
	for _, tt := range []struct{ name, in, want string }{
		{"syntax", "a: [1\nb: 2\n", "f.yml:2: did not find expected ',' or ']'"},
		{"tab", "a:\n\tb: 1\n", "f.yml:2:1: a tab indents this line, expected spaces"},
		{"tab below spaces", "a:\n  b: 1\n\tc: 2\n", "f.yml:3:1: a tab indents this line, expected spaces"},
		{"tab after spaces", "a:\n  b: 1\n  \tc: 2\n", "f.yml:3:3: a tab indents this line, expected spaces"},
		{"tab before a list's item", "a:\n\t- b\n", "f.yml:2:1: a tab indents this line, expected spaces"},
		{"tabs on Windows", "a:\r\n\tb: 1\r\n", "f.yml:2:1: a tab indents this line, expected spaces"},
		{"tab in a text far above", "a: |\n  x\n  \ty\nb: [1\nc: 2\nd: 3", "f.yml:4: did not find expected"},
		{"UTF-16", "\xff\xfea\x00", "f.yml: the file is UTF-16, expected UTF-8"},
		{"UTF-16 from its big end", "\xfe\xff\x00a", "f.yml: the file is UTF-16, expected UTF-8"},
		{"UTF-16 without a mark", "a\x00:\x00", "f.yml: the file is UTF-16, expected UTF-8"},
		{"UTF-16 from its big end without a mark", "\x00a\x00:", "f.yml: the file is UTF-16, expected UTF-8"},
		{"UTF-32", "\xff\xfe\x00\x00a\x00\x00\x00", "f.yml: the file is UTF-32, expected UTF-8"},
		{"UTF-32 without a mark", "a\x00\x00\x00", "f.yml: the file is UTF-32, expected UTF-8"},
		{"nothing but a zero byte", "\x00", "f.yml:1:1: character U+0000 is not allowed here"},
		{"duplicate", "a: 1\nb: 2\na: 3\n", `f.yml:3:1: duplicate key "a" (first at line 1)`},
		{"duplicate merge", "x: {<<: {a: 1}, <<: {b: 1}}", `f.yml:1:17: x: duplicate key "<<" (first at line 1)`},
		{"number beyond 64 bits as a key", "0x10000000000000000: x", `f.yml:1:1: key "0x10000000000000000" is not a string`},
		{"mapping as a key", "? {a: b}\n: x", `f.yml:1:3: a key is a list or a mapping, expected a string`},
		{"null as a key", "~: x", `f.yml:1:1: key "~" is not a string`},
		{"bool that is none", "a: !!bool yes", `f.yml:1:4: a: "yes" is neither true nor false`},
		{"null that is none", "a: !!null no", `f.yml:1:4: a: "no" is not null`},
		{"int that is none", "a: !!int 1.5", `f.yml:1:4: a: "1.5" is not a JSON number`},
		{"merge of a list of strings", "a: {<<: [{b: 1}, c]}", "f.yml:1:9: a: << expects a mapping or a list of mappings"},
		{"in the second line", "a: 1\nb: [}\n", "f.yml:2: did not find expected node content"},
		{"in the third line", "a:\n  - b\n c: d\n", "f.yml:3: did not find expected key"},
		{"at the end", "a: 1\nb: [\n", "f.yml:2: did not find expected node content"},
		{"open quote", "a: 'b\n", "f.yml:1: found unexpected end of stream"},
		{"unknown anchor below a comment", "# *x\na: b\nc: *x\n", `f.yml:3: alias "x" has no anchor above it`},
		{"unknown anchor with a longer name", "a: &xy 1\nb: *xy\nc: *x\n", `f.yml:3: alias "x" has no anchor above it`},
		{"unknown anchor behind many comments", strings.Repeat("# *x\n", 100) + "a: *x", `f.yml: alias "x" has no anchor above it`},
		{"escape character in a key", `"\e[31m": {a: [.nan]}`, `f.yml:1:16: "\x1b[31m".a[0]: ".nan" is not a JSON number`},
		{"byte order mark and invalid UTF-8", "\ufeffa: \xff", "f.yml:1:4: not UTF-8"},
		{"delete character", "# \x7f", "f.yml:1:3: character U+007F is not allowed here"},
		{"nested duplicate", "x: {a: 1, a: 3}\n", `f.yml:1:11: x: duplicate key "a" (first at line 1)`},
		{"all duplicates", "a: 1\na: 2\na: 3\n", "f.yml:2:1: duplicate key \"a\" (first at line 1)\nf.yml:3:1: duplicate key \"a\" (first at line 1)"},
		{"number as a key", "a: {1: x}", `f.yml:1:5: a: key "1" is not a string`},
		{"boolean as a key", "true: x", `f.yml:1:1: key "true" is not a string`},
		{"list as a key", "? [a]\n: x", `f.yml:1:3: a key is a list or a mapping, expected a string`},
		{"infinity", "a: .inf", `f.yml:1:4: a: ".inf" is not a JSON number`},
		{"not a number", "a: .nan", `f.yml:1:4: a: ".nan" is not a JSON number`},
		{"binary", "a: !!binary aGk=", `f.yml:1:4: a: unsupported tag "!!binary"`},
		{"own tag", "a: !env HOME", `f.yml:1:4: a: unsupported tag "!env"`},
		{"tag of a mapping", "a: !x {b: 1}", `f.yml:1:4: a: unsupported tag "!x"`},
		{"merge of a string", "a: {<<: b}", "f.yml:1:9: a: << expects a mapping or a list of mappings"},
		{"unknown anchor", "a: *x", `f.yml:1: alias "x" has no anchor above it`},
		{"contains itself", "a: &x [*x]", `f.yml:1:8: alias "x" contains itself`},
		{"two documents", "a: 1\n---\nb: 2\n", "f.yml:2: expected one document, found another"},
		{"invalid UTF-8", "a: 1\nb: é\xff\n", "f.yml:2:5: not UTF-8"},
		{"alias bomb", bomb, "more than 100000 values once its aliases are expanded"},
		{"deep", strings.Repeat("[", 250) + strings.Repeat("]", 250), "values are nested more than 200 deep"},
		{"large", strings.Repeat("# x\n", yamldoc.MaxBytes/4+1), "f.yml: the file has more than 1048576 bytes"},
		{"control character", "a: \"\x01\"", "f.yml:1:5: character U+0001 is not allowed here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := yamldoc.Parse("f.yml", []byte(tt.in))
			if _, ok := err.(yamldoc.Problems); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestProblemsAreSaidOnce is about a value that many aliases repeat.
func TestProblemsAreSaidOnce(t *testing.T) {
	_, err := yamldoc.Parse("f.yml", []byte("a: &x {k: .nan, l: .inf}\nb: *x\nc: [*x, *x]\n"))
	want := "f.yml:1:11: a.k: \".nan\" is not a JSON number\nf.yml:1:20: a.l: \".inf\" is not a JSON number"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestManyKeys reads and merges about as many keys as the bounds allow.
func TestManyKeys(t *testing.T) {
	const n = 45_000
	var doc strings.Builder
	doc.WriteString("a: &a {")
	for i := range n {
		fmt.Fprintf(&doc, "k%d: , ", i)
	}
	doc.WriteString("}\nb: {<<: *a}\n")
	root, err := yamldoc.Parse("f.yml", []byte(doc.String()))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(root.Get("b").Entries()); got != n {
		t.Errorf("got %d keys, want %d", got, n)
	}
}

func TestNodes(t *testing.T) {
	n, err := yamldoc.Parse("f.yml", []byte("a:\n  b/c: [x, {y: 1}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	y := n.At("/a/b~1c/1/y")
	if y.Text() != "1" || y.Field() != "a.b/c[1].y" || y.Pos() != (yamldoc.Pos{File: "f.yml", Line: 2, Column: 16}) {
		t.Errorf("got %q %q %v", y.Text(), y.Field(), y.Pos())
	}
	for _, pointer := range []string{"/a/x", "/a/b~1c/2", "/a/b~1c/x", "/a/b~1c/-1", "/a/b~1c/01", "/a/b~1c/+1", "/a/b~1c/1/y/z"} {
		if got := n.At(pointer); got != nil {
			t.Errorf("%s leads to %s", pointer, got.JSON())
		}
	}
	var none *yamldoc.Node
	if none.Kind() != yamldoc.KindNull || none.Get("a") != nil || none.Items() != nil || none.Text() != "" || string(none.JSON()) != "null" {
		t.Error("the value that isn't there is no null")
	}
}

func TestUnknownKey(t *testing.T) {
	n, err := yamldoc.Parse("f.yml", []byte("a: {comand: 1}"))
	if err != nil {
		t.Fatal(err)
	}
	p := yamldoc.UnknownKey(n.Get("a").Entries()[0], []string{"workdir", "command"})
	if p.Error() != `f.yml:1:5: a: unknown key "comand"` || p.Hint != `did you mean "command"? known here: command, workdir` {
		t.Errorf("got %v, %s", p, p.Hint)
	}
}

func TestUnknownKeyIsQuoted(t *testing.T) {
	n, err := yamldoc.Parse("f.yml", []byte(`a: {"\e[31m": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	p := yamldoc.UnknownKey(n.Get("a").Entries()[0], []string{"command"})
	if want := `f.yml:1:5: a: unknown key "\x1b[31m"`; p.Error() != want {
		t.Errorf("got %v, want %s", p, want)
	}
}

// FuzzParse wants an answer for anything, and JSON of what is taken.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("[!!bool yes, !!null x, !!int 1, <<, 0x1_0000_0000_0000_0000]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := yamldoc.Parse("f.yml", data)
		if err != nil {
			if _, ok := err.(yamldoc.Problems); !ok {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if out := n.JSON(); !json.Valid(out) {
			t.Errorf("no JSON: %s", out)
		}
	})
}

func TestSplitPointer(t *testing.T) {
	for pointer, want := range map[string][]string{
		"":                nil,
		"/dev/command/0":  {"dev", "command", "0"},
		"/a~1b/c~0d/~01/": {"a/b", "c~d", "~1", ""},
	} {
		if got := yamldoc.SplitPointer(pointer); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", pointer, got, want)
		}
	}
}
