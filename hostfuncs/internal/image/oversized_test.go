package image

import (
	"os"
	"path/filepath"
	"testing"
)

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
