package session

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStepInside(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"shop/sub", "out/deep", "shop-2"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"shop/c.yml", "shop/sub/c.yml", "out/c.yml", "shop-2/c.yml"} {
		if err := os.WriteFile(filepath.Join(base, file), []byte("version: 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"out/in.yml":         "../shop/c.yml",
		"out/abs.yml":        base + "/shop/c.yml",
		"out/twice.yml":      "in.yml",
		"out/dir":            "../shop/sub",
		"out/through.yml":    "../shop/back.yml",
		"out/around.yml":     "../shop/sub/../../out/c.yml",
		"out/same.yml":       "c.yml",
		"out/loop.yml":       "loop.yml",
		"out/nowhere.yml":    "none.yml",
		"shop/back.yml":      "../out/c.yml",
		"shop/back":          "../out",
		"linked":             "shop",
		"out/deep/other.yml": "../c.yml",
	} {
		if err := os.Symlink(filepath.FromSlash(target), filepath.Join(base, filepath.FromSlash(link))); err != nil {
			t.Skip("no links here:", err)
		}
	}
	for path, want := range map[string]string{
		"out/c.yml":                 "",
		"out/same.yml":              "",
		"out/deep/other.yml":        "",
		"out/deep/../c.yml":         "",
		"shop/../out/c.yml":         "", // nothing in shop is looked up
		"shop-2/c.yml":              "",
		"out/loop.yml":              "",
		"out/nowhere.yml":           "",
		"out/none/../../shop/c.yml": "", // cannot be opened
		"shop/c.yml":                "shop/c.yml",
		"./shop//./c.yml":           "shop/c.yml",
		"linked/c.yml":              "shop/c.yml",
		"shop/sub/c.yml":            "shop/sub",
		"shop/sub/../../out/c.yml":  "shop/sub",
		"shop/back.yml":             "shop/back.yml",
		"shop/back/c.yml":           "shop/back",
		"out/in.yml":                "shop/c.yml",
		"out/abs.yml":               "shop/c.yml",
		"out/twice.yml":             "shop/c.yml",
		"out/dir/c.yml":             "shop/sub",
		"out/dir/../c.yml":          "shop/sub",
		"out/through.yml":           "shop/back.yml",
		"out/around.yml":            "shop/sub",
	} {
		if want != "" {
			want = filepath.Join(base, want)
		}
		if got := stepInside(filepath.Join(base, "shop"), base+string(filepath.Separator)+path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	// Relative paths: the steps to the current directory do not count.
	t.Chdir(filepath.Join(base, "shop", "sub"))
	for path, want := range map[string]string{
		"../../out/c.yml":    "",
		"../c.yml":           filepath.Join(base, "shop", "c.yml"),
		"c.yml":              filepath.Join(base, "shop", "sub", "c.yml"),
		"../sub/../../out/x": filepath.Join(base, "shop", "sub"),
	} {
		if got := stepInside(filepath.Join(base, "shop"), path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if got := stepInside("", filepath.Join(base, "shop", "c.yml")); got != "" {
		t.Errorf("without a project: got %q", got)
	}
}
