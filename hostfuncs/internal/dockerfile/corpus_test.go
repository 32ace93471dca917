package dockerfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCorpus takes Dockerfiles as people write them, where BuildKit takes them:
// for the builder's own platform, for others, and where nobody knows it.
func TestCorpus(t *testing.T) {
	files := corpus(t, "corpus")
	if len(files) < 60 {
		t.Fatalf("there are %d files", len(files))
	}
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			if _, err := convert(t.Context(), text, Options{}, harmlessEnv); err != nil {
				t.Fatalf("BuildKit refuses it: %v", err)
			}
			for _, platform := range []string{"", "linux/arm64", "linux/arm/v7"} {
				o := Options{Platform: platform, BuildPlatform: "linux/amd64"}
				if _, err := uses(t, text, o); err != nil {
					t.Errorf("for %q: %v", platform, err)
				}
				wantAll(t, text, o)
			}
			if _, err := uses(t, text, Options{}); err != nil && !dependsOnPlatform[name] {
				t.Errorf("without a platform: %v", err)
			}
		})
	}
}

// dependsOnPlatform are the files of the corpus of which nobody can tell what
// they use before it is known what they are built on.
var dependsOnPlatform = map[string]bool{"platform-add": true, "platform-image-name": true, "platform-stage-name": true}

// TestRefused refuses what BuildKit refuses before it builds, at the line.
func TestRefused(t *testing.T) {
	for name, text := range corpus(t, "refused") {
		t.Run(name, func(t *testing.T) {
			if _, err := convert(t.Context(), text, Options{}, harmlessEnv); err == nil {
				t.Fatal("BuildKit takes it")
			}
			_, err := uses(t, text, Options{BuildPlatform: "linux/amd64"})
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Line == 0 && strings.Contains(text, "FROM") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v", err)
			}
			t.Log(err)
			wantAll(t, text, Options{})
		})
	}
}

// corpus are the Dockerfiles of a directory of testdata, by their names.
func corpus(t testing.TB, dir string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.Dockerfile"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files of testdata/%s, %v", len(paths), dir, err)
	}
	files := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".Dockerfile")] = string(text)
	}
	return files
}
