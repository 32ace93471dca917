package image

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestWalkSkips wants nothing more of a folder that a visit skips, and all else:
// also of one that is there only for the sake of an exception below it.
func TestWalkSkips(t *testing.T) {
	dir := t.TempDir()
	imagetest.Write(t, dir, map[string]string{"Dockerfile": "", "a/deep/one": "", "a/deep/two": "", "a/other": "", "b/one": "", "c": ""})
	for _, ignore := range []string{"", "*\n!a/deep/one\n!a/deep/two\n!a/other\n!b/one\n!c\n"} {
		write(t, dir, ".dockerignore", ignore)
		for skip, want := range map[string]string{
			"none":   "a a/deep a/deep/one a/deep/two a/other b b/one c",
			"a":      "a b b/one c",
			"a/deep": "a a/deep a/other b b/one c",
			"b":      "a a/deep a/deep/one a/deep/two a/other b c",
		} {
			c, err := Open(Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")})
			check(t, err)
			var got []string
			check(t, c.Walk(t.Context(), func(name string, _ fs.FileInfo) error {
				got = append(got, name)
				if name == skip {
					return fs.SkipDir
				}
				return nil
			}))
			check(t, c.Close())
			got = slices.DeleteFunc(got, func(name string) bool { return name == "Dockerfile" || name == ".dockerignore" })
			if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
				t.Errorf("ignoring %q, skipping %s: -want +got:\n%s", ignore, skip, diff)
			}
		}
	}
}
