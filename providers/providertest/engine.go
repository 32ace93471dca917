package providertest

import (
	"errors"
	"os"
	"testing"
)

// The variables by which .ci/with-engine speaks to the tests.
const (
	engineEnv  = "STAGECRAFT_TEST_DOCKER_HOST"
	leftOutEnv = "STAGECRAFT_TEST_LEFT_OUT"
)

// ErrNoEngine is the reason for a test to be left out.
var ErrNoEngine = errors.New("engine tests left out: " + engineEnv + " is not set")

// NeedEngine is the address of the Docker engine for tests. Where there is none,
// the test is left out, and fails with CI=true.
func NeedEngine(t testing.TB) string {
	t.Helper()
	host, fatal, err := Engine(t.Name())
	switch {
	case fatal:
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	return host
}

// Engine is the address of the Docker engine for tests. Where there is none,
// the test's name is noted, so that the end of the run can say how many were
// left out, and with CI=true the error is fatal.
func Engine(test string) (host string, fatal bool, err error) {
	if host = os.Getenv(engineEnv); host != "" {
		return host, false, nil
	}
	if file := os.Getenv(leftOutEnv); file != "" {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return "", true, err
		}
		if _, err := f.WriteString(test + "\n"); err != nil {
			return "", true, errors.Join(err, f.Close())
		}
		if err := f.Close(); err != nil {
			return "", true, err
		}
	}
	return "", os.Getenv("CI") == "true", ErrNoEngine
}
