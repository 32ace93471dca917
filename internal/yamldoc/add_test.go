package yamldoc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

func items(texts ...string) []yamldoc.Item {
	list := []yamldoc.Item{}
	for _, text := range texts {
		text, remark, _ := strings.Cut(text, " # ")
		list = append(list, yamldoc.Item{Text: text, Remark: remark})
	}
	return list
}

func TestAdd(t *testing.T) {
	for _, tt := range []struct {
		name, before, path string
		items              []yamldoc.Item
		value              string
		want               string // empty for no place
	}{
		{name: "list in lines", before: "a:\n  - x # one\n  # two\nb: 1\n", path: "a", items: items("y # new", "z"),
			want: "a:\n  - x # one\n  - y # new\n  - z\n  # two\nb: 1\n"},
		{name: "list that is not indented", before: "a:\n- x\nb: 1\n", path: "a", items: items("y"), want: "a:\n- x\n- y\nb: 1\n"},
		{name: "list without a last line", before: "a:\n  - x", path: "a", items: items("y"), want: "a:\n  - x\n  - y\n"},
		{name: "item of lines", before: "a:\n  - |\n    x\n\n    y\n  - {b: [1,\n    2]}\n# end\n", path: "a", items: items("z"),
			want: "a:\n  - |\n    x\n\n    y\n  - {b: [1,\n    2]}\n  - z\n# end\n"},
		{name: "carriage returns", before: "a:\r\n  - x\r\nb: 1\r\n", path: "a", items: items("y"), want: "a:\r\n  - x\r\n  - y\r\nb: 1\r\n"},
		{name: "list in brackets", before: "a: [x, \"]\", y ] # ]\n", path: "a", items: items("z # lost"), want: "a: [x, \"]\", y, z ] # ]\n"},
		{name: "comma at the end", before: "a: [x, y, ]\n", path: "a", items: items("z"), want: "a: [x, y,z ]\n"},
		{name: "brackets over lines", before: "a: [\n  x, # ]\n  y\n]\n", path: "a", items: items("z"), want: "a: [\n  x, # ]\n  y, z\n]\n"},
		{name: "brackets over lines with a comment at the end", before: "a: [\n  x, # ]\n  y # last\n]\n", path: "a", items: items("z"), want: "a: [\n  x, # ]\n  y # last\n, z]\n"},
		{name: "empty brackets", before: "a:\n  b: [] # none\nc: 1\n", path: "a.b", items: items("x"), want: "a:\n  b: # none\n    - x\nc: 1\n"},
		{name: "empty brackets in brackets", before: "{a: {b: []}}\n", path: "a.b", items: items("x"), want: "{a: {b: [x]}}\n"},
		{name: "key in lines", before: "a:\n    b:\n      - x\n\n# c\nc: 1\n", path: "a.d.e", items: items("y"),
			want: "a:\n    b:\n      - x\n    d:\n      e:\n        - y\n\n# c\nc: 1\n"},
		{name: "key in brackets", before: "a: {b: [x]}\n", path: "a.d.e", items: items("y", "z"), want: "a: {b: [x], d: {e: [y, z]}}\n"},
		{name: "key of nothing", before: "a: # why\nb: 1\n", path: "a.c", items: items("y"), want: "a: # why\n  c:\n    - y\nb: 1\n"},
		{name: "key of an empty mapping", before: "a: {}\nb: 1\n", path: "a.c.d", value: "none", want: "a:\n  c:\n    d: none\nb: 1\n"},
		{name: "value", before: "a:\n  b: 1\n", path: "a.c", value: "{}", want: "a:\n  b: 1\n  c: {}\n"},
		{name: "empty list", before: "a:\n  b: 1\n", path: "a.c", items: items(), want: "a:\n  b: 1\n  c: []\n"},
		{name: "wide characters", before: "{\"ä€\": {\"😀\": [x]}}\n", path: "ä€.😀", items: items("y"), want: "{\"ä€\": {\"😀\": [x, y]}}\n"},
		{name: "byte order mark", before: "\ufeff{a: [x]}\n", path: "a", items: items("y"), want: "\ufeff{a: [x, y]}\n"},
		{name: "a value that is there", before: "a: 1\n", path: "a", value: "2"},
		{name: "no list", before: "a: 1\n", path: "a", items: items("2")},
		{name: "no mapping", before: "a: 1\n", path: "a.b", items: items("2")},
		{name: "shared list", before: "a: &l [x]\nb: *l\n", path: "b", items: items("y")},
		{name: "shared mapping", before: "a: &m {b: [x]}\nc:\n  <<: *m\n", path: "c.b", items: items("y")},
		{name: "key besides a shared mapping", before: "a: &m {b: [x]}\nc:\n  <<: *m\nd: 1\n", path: "c.e", items: items("y"),
			want: "a: &m {b: [x]}\nc:\n  <<: *m\n  e:\n    - y\nd: 1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := yamldoc.Addition{Path: strings.Split(tt.path, "."), Items: tt.items, Value: yamldoc.Item{Text: tt.value}}
			got, err := yamldoc.Add("f.yml", []byte(tt.before), a)
			if tt.want == "" {
				if !errors.Is(err, yamldoc.ErrNoPlace) {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			if err != nil || string(got) != tt.want {
				t.Errorf("got\n%s\n%v\nwant\n%s", got, err, tt.want)
			}
		})
	}
}

// FuzzAdd: whatever the document is, it is left alone or has all that it had, with the
// addition at its end.
func FuzzAdd(f *testing.F) {
	for _, text := range []string{
		"a:\n  - x # one\nb: 1\n", "a: [x, \"]\", y ] # ]\n", "a: [\n  x, # ]\n  y\n]\n", "a: {}\n", "a:\n", "", "a: &l [x]\nb: *l\n", "a: &m {b: [x]}\nc:\n  <<: *m\n",
		"\ufeff{a: [x]}", "a:\r\n  - x\r\n", "a:\n- |\n  x\n", "--- \na: []\n...\n", "? a\n: [x]\n", "a: !!seq [x]\n", "a:\r  - x\r", "a: 'x'\u2028b: [y]\n",
	} {
		f.Add(text, "a", "y")
		f.Add(text, "a.b", "[y, z]")
		f.Add(text, "c.b", "{y: 1}")
	}
	f.Fuzz(func(t *testing.T, text, path, item string) {
		a := yamldoc.Addition{Path: strings.Split(path, "."), Items: []yamldoc.Item{{Text: item}}}
		got, err := yamldoc.Add("", []byte(text), a)
		if err != nil {
			return
		}
		before, err := yamldoc.Parse("", []byte(text))
		after, afterErr := yamldoc.Parse("", got)
		value, itemErr := yamldoc.Parse("", []byte(item))
		if err != nil || afterErr != nil || itemErr != nil {
			t.Fatalf("%q: %v, %v, %v", got, err, afterErr, itemErr)
		}
		was, is := before, after
		for _, key := range a.Path {
			was, is = was.Get(key), is.Get(key)
		}
		if n := len(is.Items()); n != len(was.Items())+1 || string(is.Items()[n-1].JSON()) != string(value.JSON()) {
			t.Errorf("got %q of %q", got, text)
		}
	})
}
