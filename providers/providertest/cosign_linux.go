package providertest

import "testing"

// Cosign builds cosign, a tool for signed statements that is not ours, and returns
// its path. That takes minutes, so only "make test-long" has it.
func Cosign(t testing.TB) string {
	t.Helper()
	Long(t)
	program, err := Tool("cosign")
	if err != nil {
		t.Fatal(err)
	}
	return program
}
