package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplacedAfterDecision wants nothing else to be sent than what was decided
// on, by whatever name it is called.
func TestReplacedAfterDecision(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	directory := func(name string) (context, dockerfile string) {
		context, dockerfile = filepath.Join(dir, name), filepath.Join(dir, name, "Dockerfile")
		if err := os.Mkdir(context, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dockerfile, []byte("FROM scratch\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return context, dockerfile
	}
	info := func(path string) os.FileInfo {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	context, dockerfile := directory("decided")
	other, otherFile := directory("other")
	for _, tt := range []struct {
		name string
		b    Build
		want string
	}{
		{"the same", Build{ContextInfo: info(context), DockerfileInfo: info(dockerfile)}, ""},
		{"whatever is there", Build{}, ""},
		{"another directory", Build{ContextInfo: info(other), DockerfileInfo: info(dockerfile)}, "decided: it was replaced"},
		{"another Dockerfile", Build{ContextInfo: info(context), DockerfileInfo: info(otherFile)}, "Dockerfile: it was replaced"},
	} {
		tt.b.Context, tt.b.Dockerfile = context, dockerfile
		_, err := Look(t.Context(), tt.b)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
