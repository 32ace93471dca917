package image

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestLook wants the digest to follow all that would be sent, and nothing else.
func TestLook(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, dir string)
		same   bool
	}{
		"nothing": {func(*testing.T, string) {}, true},
		"a time": {func(t *testing.T, dir string) {
			check(t, os.Chtimes(filepath.Join(dir, "a"), time.Unix(1, 0), time.Unix(1, 0)))
		}, true},
		"an ignored file": {func(t *testing.T, dir string) { write(t, dir, "ignored", "more") }, true},
		"one to be left out": {func(t *testing.T, dir string) {
			write(t, dir, "left", "more")
		}, true},
		"content": {func(t *testing.T, dir string) { write(t, dir, "a", "2") }, false},
		"a mode":  {func(t *testing.T, dir string) { check(t, os.Chmod(filepath.Join(dir, "a"), 0o755)) }, false},
		"a name":  {func(t *testing.T, dir string) { check(t, os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b"))) }, false},
		"a link": {func(t *testing.T, dir string) {
			check(t, os.Remove(filepath.Join(dir, "link")))
			check(t, os.Symlink("b", filepath.Join(dir, "link")))
		}, false},
		"an empty directory": {func(t *testing.T, dir string) { check(t, os.Mkdir(filepath.Join(dir, "more"), 0o755)) }, false},
	} {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		check(t, err)
		write(t, dir, "Dockerfile", "FROM scratch\n")
		write(t, dir, ".dockerignore", "ignored\n")
		write(t, dir, "ignored", "x")
		write(t, dir, "a", "1")
		check(t, os.Symlink("a", filepath.Join(dir, "link")))
		write(t, dir, "left", "1")
		b := Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), Without: []string{filepath.Join(dir, "left")}}
		before, err := Look(t.Context(), b)
		check(t, err)
		if before.Files != 3 || before.Bytes != int64(len("FROM scratch\n")+len("ignored\n")+1) {
			t.Errorf("got %+v", before)
		}
		tt.change(t, dir)
		after, err := Look(t.Context(), b)
		check(t, err)
		if (before.SHA256 == after.SHA256) != tt.same {
			t.Errorf("%s: %s, then %s", name, before.SHA256, after.SHA256)
		}
	}
}

// TestLookEnds wants an error of what cannot be read, and of a context that is
// over.
func TestLookEnds(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	if _, err := Look(t.Context(), Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}); err == nil {
		t.Error("looked at a context without a Dockerfile")
	}
	write(t, dir, "Dockerfile", "FROM scratch\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Look(ctx, Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}); err == nil {
		t.Error("looked when it was over")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

func TestIsLarge(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]int64 // sizes
		want  bool
	}{
		"small":               {map[string]int64{"a": 1}, false},
		"at the limit":        {map[string]int64{"a": LargeContext}, false},
		"one file":            {map[string]int64{"a": LargeContext + 1}, true},
		"two files":           {map[string]int64{"a": LargeContext / 2, "b/c": LargeContext/2 + 1}, true},
		"with an ignore file": {map[string]int64{"a": LargeContext + 1, ".dockerignore": 0}, false},
		"with its own":        {map[string]int64{"a": LargeContext + 1, "Dockerfile.dockerignore": 0}, false},
	} {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		tt.files["Dockerfile"] = 0
		for file, size := range tt.files {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
		}
		if got := IsLarge(t.Context(), Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if IsLarge(t.Context(), Build{Context: "/none", Dockerfile: "/none/Dockerfile"}) {
		t.Error("a context that is not there is large")
	}
}
