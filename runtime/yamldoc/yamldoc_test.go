package yamldoc_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
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
		{"other bases", "[0x1F, 0o17, 0b101, 1_000]", `[31,15,5,1000]`},
		{"floats", "[1.5, -0.25, 1e3, 6.02E23, .5, 1_0.5]", `[1.5,-0.25,1e3,6.02E23,0.5,10.5]`},
		{"float digit for digit", "a: 0.1000000000000000055511151231257827", `{"a":0.1000000000000000055511151231257827}`},
		{"timestamps", "[2026-11-23, 2026-11-23T10:00:00Z]", `["2026-11-23","2026-11-23T10:00:00Z"]`},
		{"strings", `["a", 'b', "\u00e9 \"x\"", "1", "<&>"]`, `["a","b","é \"x\"","1","<&>"]`},
		{"block strings", "a: |\n  x\n  y\nb: >\n  x\n  y\n", `{"a":"x\ny\n","b":"x y\n"}`},
		{"order of keys", "b: 1\na: 2\n", `{"b":1,"a":2}`},
		{"nested", "a: {b: {c: [1, {d: 2}]}}", `{"a":{"b":{"c":[1,{"d":2}]}}}`},
		{"anchor", "a: &x {k: 1}\nb: *x\n", `{"a":{"k":1},"b":{"k":1}}`},
		{"merge", "a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 9\n", `{"a":{"k":1,"l":2},"b":{"k":9,"l":2}}`},
		{"merge of a list", "a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}\n", `{"a":{"k":1},"b":{"k":2,"m":3},"c":{"k":1,"m":3}}`},
		{"quoted key", `"1": a`, `{"1":"a"}`},
		{"date as a key", "2026-11-23: a", `{"2026-11-23":"a"}`},
		{"byte order mark", "\ufeffa: 1", `{"a":1}`},
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
		{"syntax", "a: [1\nb: 2\n", "f.yml:1: did not find expected ',' or ']'"},
		{"tab", "a:\n\tb: 1\n", "f.yml:2: found character that cannot start any token"},
		{"duplicate", "a: 1\nb: 2\na: 3\n", `f.yml:3:1: key "a" stands here a second time, the first is at line 1`},
		{"nested duplicate", "x: {a: 1, a: 3}\n", `f.yml:1:11: x: key "a" stands here a second time, the first is at line 1`},
		{"all duplicates", "a: 1\na: 2\na: 3\n", "f.yml:2:1: key \"a\" stands here a second time, the first is at line 1\nf.yml:3:1: key \"a\" stands here a second time, the first is at line 1"},
		{"number as a key", "a: {1: x}", `f.yml:1:5: a: key "1" is no string`},
		{"boolean as a key", "true: x", `f.yml:1:1: key "true" is no string`},
		{"list as a key", "? [a]\n: x", `f.yml:1:3: key "" is no string`},
		{"infinity", "a: .inf", `f.yml:1:4: a: ".inf" is no number that JSON has`},
		{"not a number", "a: .nan", `f.yml:1:4: a: ".nan" is no number that JSON has`},
		{"binary", "a: !!binary aGk=", `f.yml:1:4: a: tag "!!binary" has no meaning here`},
		{"own tag", "a: !env HOME", `f.yml:1:4: a: tag "!env" has no meaning here`},
		{"tag of a mapping", "a: !x {b: 1}", `f.yml:1:4: a: tag "!x" has no meaning here`},
		{"merge of a string", "a: {<<: b}", "f.yml:1:9: a: << merges a mapping or a list of mappings, nothing else"},
		{"unknown anchor", "a: *x", "f.yml: unknown anchor 'x' referenced"},
		{"contains itself", "a: &x [*x]", `f.yml:1:8: alias "x" contains itself`},
		{"two documents", "a: 1\n---\nb: 2\n", "f.yml:2: a second document begins, one is expected"},
		{"invalid UTF-8", "a: 1\nb: é\xff\n", "f.yml:2:5: this is no UTF-8"},
		{"alias bomb", bomb, "more than 100000 values once its aliases are expanded"},
		{"deep", strings.Repeat("[", 250) + strings.Repeat("]", 250), "values are nested more than 200 deep"},
		{"large", strings.Repeat("# x\n", yamldoc.MaxBytes/4+1), "f.yml: the file has 1048580 bytes, at most 1048576 are read"},
		{"control character", "a: \"\x01\"", "f.yml: control characters are not allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := yamldoc.Parse("f.yml", []byte(tt.in))
			if _, ok := err.(yamldoc.Problems); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
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
	for _, pointer := range []string{"/a/x", "/a/b~1c/2", "/a/b~1c/x", "/a/b~1c/-1", "/a/b~1c/1/y/z"} {
		if got := n.At(pointer); got != nil {
			t.Errorf("%s leads to %s", pointer, got.JSON())
		}
	}
	var none *yamldoc.Node
	if none.Kind() != yamldoc.KindNull || none.Get("a") != nil || none.Items() != nil || none.Text() != "" || string(none.JSON()) != "null" {
		t.Error("the value that isn't there is no null")
	}
}

func TestNearest(t *testing.T) {
	known := []string{"generic", "encore-ts", "go"}
	for word, want := range map[string]string{
		"generc": "generic", "genric": "generic", "encorets": "encore-ts", "python": "", "g": "", "": "", "xy": "",
	} {
		if got := yamldoc.Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
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
