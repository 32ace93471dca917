package snapshot

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	plain := func(sum string, s stamp) file { return file{stamp: s, sha256: sum} }
	old, young := stamp{inode: 1, size: 3, modified: 5, changed: 5}, stamp{inode: 1, size: 3, modified: 5, changed: 6}
	for name, tt := range map[string]struct {
		before, after file
		want          string
	}{
		"nothing":                       {plain("a", old), plain("a", old), ""},
		"other contents":                {plain("a", old), plain("b", old), Changed},
		"written again as it was":       {plain("a", old), plain("a", young), ""},
		"not read, same stamp":          {plain("", old), plain("", old), ""},
		"not read, other stamp":         {plain("", old), plain("", young), Changed},
		"read on one side alone":        {plain("a", old), plain("", young), Changed},
		"a link in its place":           {plain("a", old), file{kind: fs.ModeSymlink, target: "x", stamp: old, sha256: "a"}, Changed},
		"a link that leads elsewhere":   {file{kind: fs.ModeSymlink, target: "y", sha256: "a"}, file{kind: fs.ModeSymlink, target: "x", sha256: "a"}, Changed},
		"a directory with another time": {file{kind: fs.ModeDir, stamp: old}, file{kind: fs.ModeDir, stamp: young}, ""},
		"a directory in its place":      {plain("a", old), file{kind: fs.ModeDir, stamp: old}, Changed},
	} {
		var want []Change
		if tt.want != "" {
			want = []Change{{"p", tt.want}}
		}
		got := Compare(Snapshot{files: map[string]file{"p": tt.before}}, Snapshot{files: map[string]file{"p": tt.after}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	none, some := Snapshot{}, Snapshot{files: map[string]file{"b": {}, "a": {}}}
	if diff := cmp.Diff([]Change{{"a", Created}, {"b", Created}}, Compare(none, some)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Change{{"a", Removed}, {"b", Removed}}, Compare(some, none)); diff != "" {
		t.Error(diff)
	}
}

func TestDeceptive(t *testing.T) {
	now := time.Unix(1000, 0)
	for changed, want := range map[int64]bool{
		0: true, now.UnixNano(): true, now.Add(-time.Second).UnixNano(): true, now.Add(time.Hour).UnixNano(): true,
		now.Add(-3 * time.Second).UnixNano(): false,
	} {
		if got := (stamp{changed: changed}).deceptive(now); got != want {
			t.Errorf("changed at %d: %v", changed, got)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTake changes files in each way, and wants just these to be found.
func TestTake(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(filepath.FromSlash(target), at(name)); err != nil {
			t.Skip("no links here:", err)
		}
	}
	for _, name := range []string{"same.yml", "other.yml", "gone.yml", "linked.yml", "elsewhere/mod.wasm", "tree/keep", "tree/sub/grown", "tree/sub/one", "tree/log", "tree/after-log"} {
		write(t, at(name), "before")
	}
	link("elsewhere", "tree2")
	link("../elsewhere/mod.wasm", "tree/leads.wasm")
	link("../none", "tree/nowhere")
	before := Take(Places{
		Files:  []string{at("same.yml"), at("other.yml"), at("gone.yml"), at("linked.yml"), at("new.yml"), at("none.yml")},
		Trees:  []string{at("tree"), at("tree2"), at("tree3")},
		Except: []string{at("tree/log")},
	})
	if changes := Compare(before, before.Again()); changes != nil {
		t.Fatalf("nothing was done: %v", changes)
	}
	write(t, at("same.yml"), "before")
	write(t, at("other.yml"), "after!")
	write(t, at("new.yml"), "after")
	write(t, at("tree/log"), "after")
	write(t, at("tree/zlast"), "after")
	write(t, at("tree/sub/grown"), "before and after")
	write(t, at("tree/added"), "")
	write(t, at("tree3/dropped.wasm"), "")
	write(t, at("elsewhere/mod.wasm"), "after!")
	for _, name := range []string{"gone.yml", "linked.yml", "tree/sub/one"} {
		if err := os.Remove(at(name)); err != nil {
			t.Fatal(err)
		}
	}
	link("same.yml", "linked.yml")
	var got []string
	for _, c := range Compare(before, before.Again()) {
		rel, err := filepath.Rel(dir, c.Path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(rel)+" "+c.How)
	}
	want := "gone.yml removed\nlinked.yml changed\nnew.yml created\nother.yml changed\n" +
		"tree/added created\ntree/leads.wasm changed\ntree/sub/grown changed\ntree/sub/one removed\n" + "tree/zlast created\n" +
		"tree2/mod.wasm changed\ntree3 created\ntree3/dropped.wasm created"
	if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
		t.Error(diff)
	}

	// What is known to have changed is not reported.
	write(t, at("other.yml"), "later")
	now := Take(before.places)
	write(t, at("other.yml"), "trusted")
	now.Renew(at("other.yml"))
	if changes := Compare(now, now.Again()); changes != nil {
		t.Errorf("a change that is known: %v", changes)
	}
}
