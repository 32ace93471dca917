package providertest

import (
	"os"
	"os/exec"
	"testing"
)

// Skopeo is the path of skopeo, a tool for images that is not ours. Where there
// is none, the test is left out, and fails in CI.
func Skopeo(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("skopeo")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return program
}
