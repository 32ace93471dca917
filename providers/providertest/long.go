package providertest

import (
	"os"
	"testing"
)

// longEnv is set by "make test-long".
const longEnv = "STAGECRAFT_TEST_LONG"

// Long leaves a test out of "make test". Such a test repeats at length what a
// shorter one shows, or builds a program of another project.
func Long(t testing.TB) {
	t.Helper()
	if !isLong() {
		t.Skip("takes long; make test-long runs it")
	}
}

// Rounds is how many rounds a test makes that repeats the same with other inputs:
// all of them in "make test-long", and a fifth otherwise.
func Rounds(all int) int {
	if isLong() {
		return all
	}
	return all / 5
}

func isLong() bool { return os.Getenv(longEnv) == "1" }
