//go:build linux && !helpers

package sandbox_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestEmbedded runs the tests of this package with the helper as a program of its own, as
// the released program embeds it.
func TestEmbedded(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program")
	}
	dir := t.TempDir()
	overlay := filepath.Join(dir, "overlay.json")
	here, err := os.Getwd()
	must(t, err)
	replace := make(map[string]string)
	for _, name := range []string{"stagecraft-sandbox", "stagecraft-schema"} {
		program := filepath.Join(dir, name)
		goTool(t, "build", "-trimpath", "-ldflags=-s -w", "-o", program, "../../cmd/"+name)
		if name == "stagecraft-schema" {
			must(t, providertest.Compress(program+".s2", program))
			name, program = name+".s2", program+".s2"
		}
		replace[filepath.Join(here, name)] = program
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	must(t, err)
	must(t, os.WriteFile(overlay, data, 0o600))
	// Its tests have the address space bounded too, which the race detector does not
	// allow.
	goTool(t, "test", "-count=1", "-tags=helpers", "-overlay="+overlay, ".")
}

func goTool(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
}
