package embedded

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestExclude is apart from the other comparisons with BuildKit, since its
// engines of 2020 have no --exclude. The cases are those of its own tests.
func TestExclude(t *testing.T) {
	for flags, want := range map[string]string{
		"--exclude=*.md":                      "a.go d d/b.go d/c.md d/e d/e/f.go d/e/g.md",
		"--exclude=**/*.md":                   "a.go d d/b.go d/e d/e/f.go",
		"--exclude=d":                         "a.go a.md",
		"--exclude=d --exclude=!d/e/f.go":     "a.go a.md d d/e d/e/f.go",
		"--exclude=d/e/*":                     "a.go a.md d d/b.go d/c.md d/e",
		"--exclude=*.go --exclude=d/*.md":     "a.md d d/b.go d/e d/e/f.go d/e/g.md",
		"--exclude=none":                      "a.go a.md d d/b.go d/c.md d/e d/e/f.go d/e/g.md",
		"--exclude=**/*.go --exclude=!d/b.go": "a.md d d/b.go d/c.md d/e d/e/g.md",
	} {
		b := aBuild(t, map[string]string{
			"Dockerfile": "FROM scratch\nCOPY " + flags + " s /\n",
			"s/a.go":     "", "s/a.md": "", "s/d/b.go": "", "s/d/c.md": "", "s/d/e/f.go": "", "s/d/e/g.md": "",
		})
		files := savedImage(t, mustBuild(t, b, options(t, b))).files()
		if got := strings.Join(slices.Sorted(maps.Keys(files)), " "); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", flags, got, want)
		}
	}
}
