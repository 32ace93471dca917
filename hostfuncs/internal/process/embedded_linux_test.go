package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// guardVar names the program of package guard, from which the tests then start guards.
const guardVar = "STAGECRAFT_TEST_GUARD"

// embedded returns guards from the program that guardVar names, which end with their
// commands. Without it, it returns nil, and the tests' own program is the guard.
var embedded = sync.OnceValue(func() *Guards {
	file := os.Getenv(guardVar)
	if file == "" {
		return nil
	}
	program, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return &Guards{program: program, closed: true}
})

// TestEmbedded runs the tests of this package with the guard as a program of its own, as
// the released program embeds it. Those that attack it run both ways themselves.
func TestEmbedded(t *testing.T) {
	if os.Getenv(guardVar) != "" {
		c, out := guardIn(t, embedded())
		run(t, c)
		if !strings.HasSuffix(strings.TrimSpace(out.String()), " /memfd:"+guard.Name+" (deleted)") {
			t.Errorf("the guard is %q", out)
		}
		return
	}
	providertest.Long(t)
	file := filepath.Join(t.TempDir(), "stagecraft-guard")
	if err := os.WriteFile(file, buildGuard(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.skip=^(TestAttacks|TestAttackBetween|TestNothingOutlivesUsConfined)$")
	cmd.Env = append(os.Environ(), guardVar+"="+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
