package gitstate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scenario is a change of a repository that has one commit.
type scenario struct {
	name string
	do   func(t *testing.T, repo string)
	want bool
}

func put(name, text string) func(*testing.T, string) {
	return func(t *testing.T, repo string) {
		t.Helper()
		path := filepath.Join(repo, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func run(args ...string) func(*testing.T, string) {
	return func(t *testing.T, repo string) {
		t.Helper()
		git(t, repo, args...)
	}
}

func each(steps ...func(*testing.T, string)) func(*testing.T, string) {
	return func(t *testing.T, repo string) {
		t.Helper()
		for _, step := range steps {
			step(t, repo)
		}
	}
}

func check(err error) func(*testing.T, string) {
	return func(t *testing.T, _ string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func on(do func(repo string) error) func(*testing.T, string) {
	return func(t *testing.T, repo string) {
		t.Helper()
		check(do(repo))(t, repo)
	}
}

var scenarios = []scenario{
	{"nothing", each(), false},
	{"a change", put("app/main.ts", "other\n"), true},
	{"a change of the same size", put("app/main.ts", "fIrst\n"), true},
	{"written again as it was", put("app/main.ts", "first\n"), false},
	{"a change that is staged", each(put("app/main.ts", "other\n"), run("add", ".")), true},
	{"staged and taken back in the file", each(put("app/main.ts", "other\n"), run("add", "."), put("app/main.ts", "first\n")), true},
	{"a file that is gone", on(func(repo string) error { return os.Remove(filepath.Join(repo, "app", "main.ts")) }), true},
	{"a removal that is staged", run("rm", "-q", "app/main.ts"), true},
	{"a new file", put("app/new.ts", ""), true},
	{"a new directory", put("lib/deep/new.ts", ""), true},
	{"an empty directory", on(func(repo string) error { return os.MkdirAll(filepath.Join(repo, "lib", "deep"), 0o755) }), false},
	{"a new file that is staged", each(put("app/new.ts", "x"), run("add", ".")), true},
	{"a new file that is intended", each(put("app/new.ts", "x"), run("add", "-N", ".")), true},
	{"an ignored file", put("app/out.log", "x"), false},
	{"an ignored directory", put("node_modules/a/b.js", "x"), false},
	{"an exception", put("app/keep.log", "x"), true},
	{"a file that is ignored deeper", put("app/deep/local.txt", "x"), false},
	{"a file of that name elsewhere", put("local.txt", "x"), true},
	{"ignored in the repository alone", each(put(".git/info/exclude", "*.tmp\n"), put("app/a.tmp", "x")), false},
	{"a new file that is ignored and tracked", each(put("app/forced.log", "x"), run("add", "-f", "app/forced.log")), true},
	{"a mode", on(func(repo string) error { return os.Chmod(filepath.Join(repo, "app", "main.ts"), 0o755) }), true},
	{"a mode that does not count", each(run("config", "core.fileMode", "false"), on(func(repo string) error { return os.Chmod(filepath.Join(repo, "app", "main.ts"), 0o755) })), false},
	{"another link", on(func(repo string) error {
		os.Remove(filepath.Join(repo, "link"))
		return os.Symlink("elsewhere", filepath.Join(repo, "link"))
	}), true},
	{"a file in the place of a link", each(on(func(repo string) error { return os.Remove(filepath.Join(repo, "link")) }), put("link", "app")), true},
	{"a new link", on(func(repo string) error { return os.Symlink("a", filepath.Join(repo, "new")) }), true},
	{"a repository in it", each(put("vendor/a", "x"), func(t *testing.T, repo string) { t.Helper(); git(t, filepath.Join(repo, "vendor"), "init") }), true},
	{"assumed to be unchanged", each(run("update-index", "--assume-unchanged", "app/main.ts"), put("app/main.ts", "other\n")), false},
	{"left out of the working tree", each(run("update-index", "--skip-worktree", "app/main.ts"), on(func(repo string) error { return os.Remove(filepath.Join(repo, "app", "main.ts")) })), false},
	{"packed", run("gc", "-q", "--aggressive"), false},
	{"packed and changed", each(run("gc", "-q"), put("app/deep/a.txt", "other")), true},
	{"an index of version 4", run("update-index", "--index-version", "4"), false},
	{"an index of version 4, staged", each(run("update-index", "--index-version", "4"), put("z", "x"), run("add", "z")), true},
	{"committed", each(put("app/new.ts", "x"), run("add", "."), run("commit", "-q", "-m", "two")), false},
	{"another branch", each(run("checkout", "-q", "-b", "other"), put("app/main.ts", "x"), run("commit", "-q", "-a", "-m", "two"), run("checkout", "-q", "main")), false},
}

func committed(t *testing.T, args ...string) string {
	t.Helper()
	repo := t.TempDir()
	git(t, repo, append([]string{"init", "-q"}, args...)...)
	for name, text := range map[string]string{
		"app/main.ts": "first\n", "app/deep/a.txt": "a\n", "README": "read\n", ".gitignore": "# of all\n*.log\n!keep.log\n/node_modules/\n",
		"app/deep/.gitignore": "local.txt\n", "a.b/c": "1", "a/c": "2", "a-b": "3",
	} {
		put(name, text)(t, repo)
	}
	if err := os.Symlink("app", filepath.Join(repo, "link")); err != nil {
		t.Fatal(err)
	}
	git(t, repo, "add", ".")
	git(t, repo, "commit", "-q", "-m", "one")
	return repo
}

func dirtyAt(t *testing.T, dir string) bool {
	t.Helper()
	r, ok := Find(dir)
	if !ok {
		t.Fatalf("%s: no repository", dir)
	}
	return r.Dirty(dir, Options{})
}

// TestDirty wants what git itself says, of the whole repository and of each of
// its directories.
func TestDirty(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		for _, s := range scenarios {
			t.Run(format+" "+s.name, func(t *testing.T) {
				t.Parallel()
				repo := committed(t, "--object-format="+format)
				s.do(t, repo)
				if got := dirtyAt(t, repo); got != s.want {
					t.Errorf("got %v, want %v", got, s.want)
				}
				for _, dir := range []string{"", "app", "app/deep"} {
					says := git(t, repo, "status", "--porcelain", "--", "./"+dir) != ""
					if got := dirtyAt(t, filepath.Join(repo, filepath.FromSlash(dir))); got != says {
						t.Errorf("%q: got %v, and git says %v", dir, got, says)
					}
				}
			})
		}
	}
}

// TestDirtyElsewhere wants a project to be compared, and not the repository that
// it is in.
func TestDirtyElsewhere(t *testing.T) {
	repo := committed(t)
	put("README", "other")(t, repo)
	if !dirtyAt(t, repo) || dirtyAt(t, filepath.Join(repo, "app")) {
		t.Error("a change beside the project is one of the project")
	}
	// A project that nobody has added yet.
	put("fresh/stagecraft.yml", "x")(t, repo)
	if !dirtyAt(t, filepath.Join(repo, "fresh")) {
		t.Error("a project that is in no commit has no changes")
	}
	put("node_modules/p/stagecraft.yml", "x")(t, repo)
	if dirtyAt(t, filepath.Join(repo, "node_modules", "p")) {
		t.Error("an ignored project has changes")
	}
}

func TestDirtyOptions(t *testing.T) {
	repo, home := committed(t), t.TempDir()
	put("app/audit.jsonl", "x")(t, repo)
	put("image/index.json", "x")(t, repo)
	put("app/.DS_Store", "x")(t, repo)
	put("ignored", ".DS_Store\n")(t, home)
	put(".gitconfig", "[core]\n\texcludesFile = ~/ignored\n")(t, home)
	r, _ := Find(repo)
	o := Options{
		Own:    []string{filepath.Join(repo, "app", "audit.jsonl"), filepath.Join(repo, "image")},
		Getenv: func(name string) string { return map[string]string{"HOME": home}[name] },
	}
	if r.Dirty(repo, o) {
		t.Error("the run's own files, or what the user ignores, are changes")
	}
	if r.Dirty(repo, Options{Getenv: o.Getenv}) == r.Dirty(repo, o) || r.Dirty(repo, Options{Own: o.Own}) == r.Dirty(repo, o) {
		t.Error("the options change nothing")
	}
}

func TestDirtySubmodule(t *testing.T) {
	repo, inner := committed(t), committed(t)
	git(t, repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub")
	if !dirtyAt(t, repo) {
		t.Error("a submodule that was added is not a change")
	}
	git(t, repo, "commit", "-q", "-m", "two")
	if dirtyAt(t, repo) {
		t.Error("a submodule is a change")
	}
	put("sub/new", "x")(t, repo)
	if !dirtyAt(t, repo) {
		t.Error("a new file in a submodule is not a change")
	}
	git(t, filepath.Join(repo, "sub"), "add", ".")
	git(t, filepath.Join(repo, "sub"), "commit", "-q", "-m", "three")
	if !dirtyAt(t, repo) {
		t.Error("another commit of a submodule is not a change")
	}
}

// TestDirtyClones has repositories as others have them.
func TestDirtyClones(t *testing.T) {
	repo := committed(t)
	for i := range 20 {
		put("app/main.ts", strings.Repeat("a line\n", 100+i))(t, repo)
		git(t, repo, "commit", "-q", "-a", "-m", strings.Repeat("much the same message ", 20))
	}
	git(t, repo, "gc", "-q", "--aggressive")
	for name, args := range map[string][]string{
		"full": nil, "shallow": {"--depth=1"}, "shared": {"--shared"}, "reference": {"--reference", repo},
	} {
		dir := filepath.Join(t.TempDir(), "clone")
		git(t, repo, append(append([]string{"clone", "-q"}, args...), "file://"+repo, dir)...)
		if dirtyAt(t, dir) || dirtyAt(t, filepath.Join(dir, "app", "deep")) {
			t.Errorf("%s: a fresh clone has changes", name)
		}
		put("app/deep/a.txt", "other")(t, dir)
		if !dirtyAt(t, dir) || !dirtyAt(t, filepath.Join(dir, "app", "deep")) {
			t.Errorf("%s: a change is none", name)
		}
	}
	tree := filepath.Join(t.TempDir(), "tree")
	git(t, repo, "worktree", "add", "-q", "-b", "other", tree)
	if dirtyAt(t, tree) {
		t.Error("a fresh working tree has changes")
	}
	put("new", "x")(t, tree)
	if !dirtyAt(t, tree) || dirtyAt(t, repo) {
		t.Error("a change in one working tree is one in another")
	}
}

// TestDirtyDamaged wants what cannot be compared to differ.
func TestDirtyDamaged(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, string){
		"no index":        on(func(repo string) error { return os.Remove(filepath.Join(repo, ".git", "index")) }),
		"a strange index": put(".git/index", "DIRC\x00\x00\x00\x02\xff\xff\xff\xff"+strings.Repeat("a", 100)),
		"a split index":   run("update-index", "--split-index"),
		"no objects":      on(func(repo string) error { return os.RemoveAll(filepath.Join(repo, ".git", "objects")) }),
	} {
		repo := committed(t)
		damage(t, repo)
		if !dirtyAt(t, repo) {
			t.Errorf("%s: no changes", name)
		}
	}
}

// TestDirtyRacy wants a change to be seen that was made at the time of the index,
// where time and size say nothing.
func TestDirtyRacy(t *testing.T) {
	repo := committed(t)
	file := filepath.Join(repo, "app", "main.ts")
	info, err := os.Stat(file)
	check(err)(t, repo)
	put("app/main.ts", "fIrst\n")(t, repo)
	for _, path := range []string{file, filepath.Join(repo, ".git", "index")} {
		check(os.Chtimes(path, info.ModTime(), info.ModTime()))(t, repo)
	}
	if !dirtyAt(t, repo) {
		t.Error("the change is not seen")
	}
}
