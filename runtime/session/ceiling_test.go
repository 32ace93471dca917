package session

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var someDigest = strings.Repeat("0123456789abcdef", 4)

func TestParseCeiling(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Ceiling
		err  string
	}{
		{text: "a.yml", want: Ceiling{Path: "a.yml"}},
		{text: "link/../a.yml", want: Ceiling{Path: "link/../a.yml"}},
		{text: "a.yml@sha256:" + someDigest, want: Ceiling{"a.yml", someDigest}},
		{text: "a@b.yml", want: Ceiling{Path: "a@b.yml"}},
		{text: "a@sha256.yml", want: Ceiling{Path: "a@sha256.yml"}},
		// A directory may have such a name, and a pinned file.
		{text: "a@sha256:x/b.yml", want: Ceiling{Path: "a@sha256:x/b.yml"}},
		{text: "a@sha256:x@sha256:" + someDigest, want: Ceiling{"a@sha256:x", someDigest}},
		{text: "a.yml@sha256:", err: "64 digits"},
		{text: "a.yml@sha256:" + someDigest[1:], err: "64 digits"},
		{text: "a.yml@sha256:" + strings.ToUpper(someDigest), err: "64 digits"},
		{text: "a.yml@sha256:" + someDigest + " ", err: "64 digits"},
		{text: "", err: `expected a file, got ""`},
		{text: "@sha256:" + someDigest, err: "expected a file"},
	} {
		got, err := ParseCeiling(tt.text)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: got %v, %v, want %s", tt.text, got, err, tt.err)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%q: got %v, %v", tt.text, got, err)
		}
	}
}

func TestParseCeilings(t *testing.T) {
	sep := string(os.PathListSeparator)
	pinned := "b.yml@sha256:" + someDigest
	for text, want := range map[string][]Ceiling{
		"a.yml":                          {{Path: "a.yml"}},
		"a.yml" + sep + "/c.yml":         {{Path: "a.yml"}, {Path: "/c.yml"}},
		pinned:                           {{"b.yml", someDigest}},
		"a.yml" + sep + pinned:           {{Path: "a.yml"}, {"b.yml", someDigest}},
		pinned + sep + "a.yml":           {{"b.yml", someDigest}, {Path: "a.yml"}},
		pinned + sep + pinned:            {{"b.yml", someDigest}, {"b.yml", someDigest}},
		"":                               nil,
		sep:                              nil,
		sep + sep:                        nil,
		sep + "a.yml":                    nil,
		"a.yml" + sep:                    nil,
		"a.yml" + sep + sep + "b.yml":    nil,
		"b.yml@sha256:" + sep + "a.yml":  nil,
		"b.yml@sha256:abc" + sep + "a.y": nil,
	} {
		got, err := ParseCeilings(text)
		if (err != nil) != (want == nil) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
