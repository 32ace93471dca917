package dockerfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

var seeds = []string{
	"FROM node:22 AS x\nRUN --mount=type=secret,id=a,from=b y\nFROM scratch\nCOPY --from=x --chown=1 a b /",
	"ARG A=1\nFROM a:${A:-${B}}\nONBUILD ADD $A /\nFROM 0", "# syntax=x\n# escape=`\nFROM `\na",
	"FROM scratch\nCOPY <<\"E\" <<-F /x\na\nE\n\tb\n\tF\n", "FROM a\nENV A=${A//x/y} B=${A#*/} 'C=$A'",
	"FROM --platform=$BUILDPLATFORM a\nADD git@x.y:z https://a/b /", "{\"syntax\": \"x\"}", "\ufeff#!x\nFROM a",
	"FROM a\nHEALTHCHECK --interval=1s CMD [\"a\"]\nSHELL [\"a\"]\nEXPOSE $A/tcp", "FROM a AS b\nONBUILD RUN <<E\nx\nE\nFROM b",
}

// FuzzUses wants an answer for every Dockerfile and build: an error that names
// the file, or references that are what they say.
func FuzzUses(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed, "", "A", "1", "linux/amd64")
		f.Add(seed, "x", "BUILDKIT_SYNTAX", "", "")
	}
	f.Fuzz(func(t *testing.T, text, target, name, value, platform string) {
		file, err := Parse("Dockerfile", []byte(text))
		if errors.Is(err, errParserPanic) {
			t.Errorf("the parser panics: %v", err)
		}
		if err != nil {
			wantNamed(t, err)
			return
		}
		o := Options{Target: target, Args: map[string]string{name: value}, Platform: platform, BuildPlatform: platform}
		got, err := file.Uses(o)
		if err != nil {
			wantNamed(t, err)
			return
		}
		for _, base := range got.Bases {
			if named, err := reference.ParseNamed(base); err != nil || reference.IsNameOnly(named) {
				t.Errorf("%q is not a full reference: %v", base, err)
			}
			if got.Lines[base] == 0 {
				t.Errorf("%s has no line", base)
			}
		}
	})
}

func wantNamed(t *testing.T, err error) {
	t.Helper()
	if !strings.HasPrefix(err.Error(), "Dockerfile") || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("got %q", err)
	}
}
