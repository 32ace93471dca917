package embedded

import (
	"archive/tar"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/moby/patternmatcher"
	fsutil "github.com/tonistiigi/fsutil/copy"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestCopyIsFsutils copies in trees, and in directories with the package that
// BuildKit copies with, and wants the same of both: the files, or an error.
// What is copied where is made up, by a fixed seed.
func TestCopyIsFsutils(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c", "a/x", "a/b/y", "l", "l/x", "b/l", "up", ".", "a/up", "c/a/z"}
	files := []string{"a/x", "a/b/y", "a/b/c/d", "b/a", "c", "c/x", "c/a/z", "l -> a", "b/l -> ../a", "up -> ../..", "a/up -> ..", "abs -> /a/b", "gone -> c/new"}
	failed := 0
	rounds := providertest.Rounds(600)
	for i := range rounds {
		from, to := some(random, files), some(random, files)
		source, destination := names[random.IntN(len(names))], "/"+names[random.IntN(len(names))]
		if random.IntN(3) == 0 {
			destination += "/"
		}
		if random.IntN(5) == 0 {
			destination += "new/er"
		}
		c := copier{from: aTree(t, from...), to: aTree(t, to...), contents: true}
		var options []fsutil.Opt
		if random.IntN(3) == 0 {
			mode := int64(0o750)
			c.mode = &mode
		}
		if random.IntN(3) == 0 {
			patterns := [][]string{{"b"}, {"*", "!b/c"}, {"**/x"}, {"a", "!a/z"}}[random.IntN(4)]
			m, err := patternmatcher.New(patterns)
			if err != nil {
				t.Fatal(err)
			}
			c.exclude = m
			options = append(options, func(ci *fsutil.CopyInfo) { ci.ExcludePatterns = patterns })
		}
		source = path.Join("/", source)
		got, gotErr := listTree(c.to), c.copy(source, destination)
		if gotErr == nil {
			got = listTree(c.to)
		}
		want, wantErr := copyDirectories(t, from, to, source, destination, c.mode, options)
		if (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%d: copy %s to %s, from %v to %v: got %v, want %v", i, source, destination, from, to, gotErr, wantErr)
		}
		if gotErr != nil {
			failed++
			continue
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%d: copy %s to %s, from %v to %v (-fsutil +here):\n%s", i, source, destination, from, to, diff)
		}
	}
	if failed > rounds*2/3 {
		t.Errorf("%d of %d were errors", failed, rounds)
	}
}

// some takes some of the files that do not stand in each other's way.
func some(random *rand.Rand, files []string) []string {
	var kept []string
	taken := map[string]bool{} // true for a directory
	for _, line := range files {
		name, _, _ := strings.Cut(line, " -> ")
		ok := random.IntN(2) == 0
		if _, there := taken[name]; there {
			ok = false
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if directory, there := taken[dir]; there && !directory {
				ok = false
			}
		}
		if !ok {
			continue
		}
		taken[name] = false
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			taken[dir] = true
		}
		kept = append(kept, line)
	}
	return kept
}

// listTree is what is in a tree, a line each.
func listTree(t *tree) []string {
	var lines []string
	var list func(*node)
	list = func(n *node) {
		for _, name := range n.names() {
			child := n.below[name]
			line := fmt.Sprintf("%s %o %s", child.path(), child.file.mode, child.file.link)
			if child.file.kind == tar.TypeSymlink {
				line = fmt.Sprintf("%s -> %s", child.path(), child.file.link)
			}
			lines = append(lines, line)
			list(child)
		}
	}
	list(t.root)
	slices.Sort(lines)
	return lines
}

// copyDirectories does the same with directories.
func copyDirectories(t *testing.T, from, to []string, source, destination string, mode *int64, options []fsutil.Opt) ([]string, error) {
	t.Helper()
	src, dst := asDirectory(t, from), asDirectory(t, to)
	options = append(options, func(ci *fsutil.CopyInfo) {
		ci.CopyDirContents, ci.FollowLinks = true, true
		if mode != nil {
			bits := int(*mode)
			ci.Mode = &bits
		}
	})
	if err := fsutil.Copy(context.Background(), src, source, dst, destination, options...); err != nil {
		return nil, err
	}
	var lines []string
	err := filepath.Walk(dst, func(p string, info os.FileInfo, err error) error {
		if err != nil || p == dst {
			return err
		}
		name := strings.TrimPrefix(p, dst)
		if target, err := os.Readlink(p); err == nil {
			lines = append(lines, name+" -> "+target)
		} else {
			lines = append(lines, fmt.Sprintf("%s %o ", name, info.Mode().Perm()))
		}
		return nil
	})
	slices.Sort(lines)
	return lines, err
}

func asDirectory(t *testing.T, lines []string) string {
	t.Helper()
	dir := imagetest.Dir(t)
	for _, line := range lines {
		name, target, isLink := strings.Cut(line, " -> ")
		if !isLink {
			imagetest.Write(t, dir, map[string]string{name: ""})
			continue
		}
		imagetest.Write(t, dir, map[string]string{path.Dir(name) + "/": ""})
		link(t, target, filepath.Join(dir, name))
	}
	return dir
}
