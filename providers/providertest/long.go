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
	if !IsLong() {
		t.Skip("takes long; make test-long runs it")
	}
}

// IsLong tells whether "make test-long" runs: a test whose length can be chosen
// does more then.
func IsLong() bool { return os.Getenv(longEnv) == "1" }
