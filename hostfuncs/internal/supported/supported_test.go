package supported

import (
	"os"
	"strings"
	"testing"
)

// TestVersionsAreDocumented wants docs/builds-reference.md to state these versions, and the
// tests to build those that they are said to run with.
func TestVersionsAreDocumented(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile("../../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, versions, ok := strings.Cut(read("docs/builds-reference.md"), "\n### Versions\n")
	if !ok {
		t.Fatal("docs/builds-reference.md has no section of versions")
	}
	versions, _, _ = strings.Cut(versions, "\n## ")
	want := append([]string{"API " + EngineAPI, "BuildKit daemon | " + BuildKit + " "}, strings.Split(Engines, " or ")...)
	for _, words := range append(want, Tested...) {
		for word := range strings.FieldsSeq(words) {
			if !strings.Contains(versions, word) {
				t.Errorf("docs/builds-reference.md states no %q of %q", word, words)
			}
		}
	}
	if !strings.Contains(read(".ci/tools/go.mod"), "github.com/moby/buildkit v"+strings.TrimPrefix(Tested[3], "BuildKit ")+".") {
		t.Errorf(".ci/tools has another version than %s", Tested[3])
	}
}
