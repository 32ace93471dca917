package gitstate

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func headOf(dir string) string {
	r, _ := Find(dir)
	return r.Head()
}

// git runs the real git, so that what it writes is what is read.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{
		"-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false",
	}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestHeadCommit(t *testing.T) {
	repo := t.TempDir()
	if got := headOf(repo); got != "" {
		t.Errorf("outside of git: %q", got)
	}
	git(t, repo, "init")
	if got := headOf(repo); got != "" {
		t.Errorf("before the first commit: %q", got)
	}
	git(t, repo, "commit", "--allow-empty", "-m", "one")
	check := func(what, dir string) {
		t.Helper()
		if got, want := headOf(dir), git(t, dir, "rev-parse", "HEAD"); got != want {
			t.Errorf("%s: got %q, want %s", what, got, want)
		}
	}
	check("a commit", repo)
	sub := filepath.Join(repo, "a", "b")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	check("a directory below", sub)
	git(t, repo, "checkout", "-b", "feature/x")
	git(t, repo, "commit", "--allow-empty", "-m", "two")
	check("a branch with a slash", repo)
	git(t, repo, "pack-refs", "--all")
	check("packed references", repo)
	git(t, repo, "checkout", "--detach", "main")
	check("no branch", repo)
	tree := filepath.Join(t.TempDir(), "tree")
	git(t, repo, "worktree", "add", "-b", "other", tree)
	git(t, tree, "commit", "--allow-empty", "-m", "three")
	check("a worktree", tree)
}

// TestHeadCommitOfOthers has files that a repository could be made to hold.
func TestHeadCommitOfOthers(t *testing.T) {
	for name, head := range map[string]string{
		"path outside": "ref: ../../outside", "absolute": "ref: /etc/hostname", "no commit": "hello", "empty": "", "short": "abcdef0",
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "p", ".git"), 0o755); err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string]string{"p/.git/HEAD": head, "outside": strings.Repeat("a", 40)} {
			if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := headOf(filepath.Join(dir, "p")); got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
