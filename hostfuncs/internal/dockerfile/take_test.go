package dockerfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTakes: a source takes the file it names, what is below it, and nothing else.
func TestTakes(t *testing.T) {
	for _, tt := range []struct {
		source, exclude string
		takes, not      string // a slash at the end is of a directory that cannot be read
	}{
		{source: ".", takes: "a a/b d/"},
		{source: "a", takes: "a a/b a/b/c", not: "ab b b/a d/"},
		{source: "a/b", takes: "a/b a/b/c a/", not: "a a/c b/"},
		{source: "a*", takes: "a ab ab/c", not: "ba b/a"},
		{source: "*/b", takes: "a/b a/b/c x/", not: "a b a/c"},
		{source: "a/**/x", takes: "a/y a/b/x a/b/c/x", not: "a b/x"},
		{source: `\[a]`, takes: "[a]", not: "a"},
		{source: "[a-c]?", takes: "ax", not: "dx a"},
		{source: "d", exclude: "*.tmp", takes: "d/a d/x", not: "d/a.tmp e"},
		{source: ".", exclude: "a !a/b", takes: "a/b b a/", not: "a a/c"},
		{source: ".", exclude: "a", takes: "b", not: "a/ a/b"},
	} {
		names := strings.Split(tt.source, "/")
		if tt.source == "." {
			names = nil
		}
		take := Take{Exclude: strings.Fields(tt.exclude)}
		for want, paths := range map[bool]string{true: tt.takes, false: tt.not} {
			for _, path := range strings.Fields(paths) {
				name, isDir := strings.CutSuffix(path, "/")
				if got := take.Takes(names, strings.Split(name, "/"), isDir); got != want {
					t.Errorf("%s without %q takes %s: %v", tt.source, tt.exclude, path, got)
				}
			}
		}
	}
}

// TestUsesTakes has the sources of COPY and ADD that are in the context.
func TestUsesTakes(t *testing.T) {
	got, err := uses(t, `FROM scratch AS y
COPY f /
FROM scratch AS x
ARG DIR=src
COPY --exclude=*.md --exclude=$DIR/x /$DIR/ ./a/../b /
ADD https://example.com/x https://example.com/y.git c* /
COPY --from=y d /
ONBUILD COPY e /
FROM scratch AS unneeded
COPY g /
FROM image AS base
COPY $OF_IMAGE <<E /
E
FROM x
COPY --from=base / /
COPY . /
`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	exclude := []string{"*.md", "$DIR/x"}
	want := []Take{
		{Name: "COPY", Line: 2, Path: "f"},
		{Name: "COPY", Line: 5, Path: "src", Exclude: exclude}, {Name: "COPY", Line: 5, Path: "b", Exclude: exclude},
		{Name: "ADD", Line: 6, Path: "c*"},
		{Name: "COPY", Line: 12, Any: true},
		{Name: "COPY", Line: 8, Path: "e"},
		{Name: "COPY", Line: 16, Path: "."},
	}
	if diff := cmp.Diff(want, got.Takes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
