package docs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestFirstMinute pastes the README's blocks into one shell, outside the clone:
// each must work where the previous one ended.
func TestFirstMinute(t *testing.T) {
	providertest.NeedEngine(t)
	shell := &docShell{base: t.TempDir(), cache: t.TempDir()}
	shell.fresh(t)
	var pasted, want strings.Builder
	for _, b := range docBlocks("README.md", document(t, "README.md")) {
		switch b.kind {
		case "run":
			pasted.WriteString(b.text)
		case "output":
			want.WriteString(b.text)
		}
	}
	cmd := shell.command("bash")
	cmd.Stdin = strings.NewReader(pasted.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	shell.ran, shell.said = true, strings.ReplaceAll(string(out), filepath.Dir(shell.dir), filepath.Dir(docRoot))
	shell.compare(t, docBlock{name: "README.md", text: want.String()})
	if strings.Contains(pasted.String(), clitest.Root()) {
		t.Error("the README contains the path of this clone")
	}
}
