package actions

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDefang(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"std::vector is not a command", "std::vector is not a command"},
		{"a: b\n c ## [d] #[e]\n", "a: b\n c ## [d] #[e]\n"},
		{"::error::x", `:\:error::x`},
		{"a\n\t::error::x\nb\n", "a\n\t:\\:error::x\nb\n"},
		{"a\r::error::x\r\n::y", "a\r:\\:error::x\r\n:\\:y"},
		{"\ufeff\u00ad:\u200b:error::x", "\ufeff\u00ad:\\\u200b:error::x"},
		{"a ##[error]x ##[b]", `a ##[\error]x ##[\b]`},
		{"###[error]", `###[\error]`},
	} {
		if got := Defang(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzDefang(f *testing.F) {
	for _, text := range attacks {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Defang(text)
		for name, r := range runners() {
			if r.read(got); len(r.commands) > 0 {
				t.Errorf("%s: sees %q in %q", name, r.commands, got)
			}
		}
		if without := strings.NewReplacer(`\`, ""); without.Replace(got) != without.Replace(text) {
			t.Errorf("more than backslashes was changed: %q, then %q", text, got)
		}
	})
}

func FuzzDefangJSON(f *testing.F) {
	for _, text := range attacks {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want, got string
		doc, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		defanged := DefangJSON(append([]byte("{\n  \"a\": \"##[b]\"}\n"), doc...))
		for name, r := range runners() {
			if r.read(string(defanged)); len(r.commands) > 0 {
				t.Errorf("%s: sees %q in %q", name, r.commands, defanged)
			}
		}
		err = json.Unmarshal(doc, &want)
		if err == nil {
			err = json.Unmarshal(DefangJSON(doc), &got)
		}
		if err != nil || got != want {
			t.Errorf("%q became %q: %v", want, got, err)
		}
	})
}
