package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestWalkSkips wants nothing more of a directory that a visit skips, and all else:
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

// TestWalkIsDeep wants all of a context with more directories in each other than are
// open at a time, and no more of them open than that.
func TestWalkIsDeep(t *testing.T) {
	dir := t.TempDir()
	const depth = 3 * maxOpen
	files, want := map[string]string{"Dockerfile": "", ".dockerignore": "ignored\n**/no\n"}, []string{".dockerignore", "Dockerfile"}
	for i := range depth {
		directory := strings.Repeat("d/", i+1)
		want = append(want, strings.TrimSuffix(directory, "/"))
		files[directory+"a"], files[directory+"no"] = "", ""
	}
	for i := range depth {
		want = append(want, strings.Repeat("d/", i+1)+"a")
	}
	imagetest.Write(t, dir, files)
	c, err := Open(Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")})
	check(t, err)
	before, most := openFiles(t), 0
	var got []string
	check(t, c.Walk(t.Context(), func(name string, _ fs.FileInfo) error {
		got = append(got, name)
		most = max(most, openFiles(t)-before)
		return nil
	}))
	check(t, c.Close())
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if most > maxOpen {
		t.Errorf("%d directories were open at a time", most)
	}
}

// openFiles is how many files this process has open, 0 where that cannot be seen.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return len(entries)
}
