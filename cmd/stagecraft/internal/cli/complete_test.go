package cli

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestComplete has what may follow some words. The last one is completed.
func TestComplete(t *testing.T) {
	system := System{
		Environ:  []string{"STAGECRAFT_AUDIT=/log.jsonl"},
		BuiltIns: fstest.MapFS{"generic.wasm": {}, "encore-ts.wasm": {}},
	}
	for typed, want := range map[string]string{
		"":                             "words init dev build plan validate provider policy audit doctor schema verify completion man version help",
		"-v ":                          "words init dev build plan validate provider policy audit doctor schema verify completion man version help",
		"provider ":                    "words list inspect trust untrust diff",
		"provider lis":                 "words list",
		"overview ":                    "words",
		"dev ":                         "words",
		"dev --au":                     "words --audit",
		"dev --audit ":                 "files",
		"dev --audit=":                 "files --audit=",
		"dev --audit x --au":           "words",
		"dev --audit=x --au":           "words",
		"dev --policy x --polic":       "words --policy",
		"dev --loc":                    "words --locked",
		"dev --no-l":                   "words --no-locked",
		"dev --no-locked --loc":        "words",
		"dev --verbose=":               "words",
		"dev --unknown ":               "words",
		"dev --unknown=x":              "words",
		"dev -- --au":                  "words",
		"-C ":                          "directories",
		"-vC ":                         "directories",
		"-C x dev --no-r":              "words --no-replay",
		"build --engine e":             "words embedded",
		"build --engine=e":             "words --engine=embedded",
		"build --progress r":           "words rawjson",
		"build --tag ":                 "words",
		"build -o ":                    "words oci: tar:",
		"build -o oci:x":               "directories oci:",
		"build --output=tar:x":         "files --output=tar:",
		"build --base a":               "words",
		"build --base a:1=oci:x":       "directories a:1=oci:",
		"provider inspect ":            "files encore-ts generic",
		"provider inspect g":           "files generic",
		"provider inspect generic ":    "words",
		"provider untrust ":            "words",
		"policy check ":                "files",
		"policy check a b ":            "files",
		"policy learn ":                "words dev build",
		"policy explain pro":           "words probe process_start process_stop process_wait",
		"policy explain --dir ":        "directories",
		"policy explain exec ":         "files",
		"policy explain exec npm --js": "files",
		"audit show ":                  "files /log.jsonl",
		"audit report --html ":         "files",
		"audit report x --h":           "words --help --html",
		"audit verify --head ":         "words",
		"verify x --key ":              "files",
		"help ":                        "words init dev build plan validate provider policy audit doctor schema verify completion man version help",
		"help plan ":                   "words dev build",
		"help plan dev ":               "words",
		"help none ":                   "words",
		"completion f":                 "words fish",
	} {
		a := &app{System: system, printer: new(printer)}
		parser, err := a.newParser(nil)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Split(typed, " ")
		current := words[len(words)-1]
		at := locate(parser.Model.Node, words[:len(words)-1])
		at.app = a
		c := at.complete(current)
		got := []string{string(c.mode)}
		if c.prefix != "" {
			got = append(got, c.prefix)
		}
		for _, candidate := range c.candidates {
			if strings.HasPrefix(candidate.value, current) {
				got = append(got, candidate.value)
			}
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}
