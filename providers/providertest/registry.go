package providertest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var listening = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`) })

// Registry starts an image registry, Debian's docker-registry, which ends with
// its test, and returns where it listens on the loopback, in plain http. auth is
// its configuration's section of that name, empty for none. If the program is not
// installed, the test is skipped, and fails in CI.
func Registry(t testing.TB, auth string) string {
	t.Helper()
	return registryIn(t, t.TempDir(), auth)
}

// RegistryIn is [Registry] that also returns its data directory.
func RegistryIn(t testing.TB) (host, data string) {
	t.Helper()
	dir := t.TempDir()
	return registryIn(t, dir, ""), filepath.Join(dir, "data")
}

func registryIn(t testing.TB, dir, auth string) string {
	t.Helper()
	program := Installed(t, "docker-registry")
	config := "version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: " + dir + "/data}, delete: {enabled: true}}\nhttp: {addr: \"127.0.0.1:0\"}\n"
	if auth != "" {
		config += "auth:\n" + auth
	}
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", file)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return address(t, bufio.NewScanner(out))
}

// address reads where a registry says that it listens, and goes on reading.
func address(t testing.TB, out *bufio.Scanner) string {
	t.Helper()
	var text strings.Builder
	for out.Scan() {
		if at := listening().FindStringSubmatch(out.Text()); at != nil {
			go func() {
				for out.Scan() {
				}
			}()
			return at[1]
		}
		text.WriteString(out.Text() + "\n")
	}
	t.Fatalf("the registry doesn't start:\n%s", text.String())
	return ""
}

// Skopeo returns the path of skopeo, another project's tool for images. If there is
// none, the test is skipped, and fails in CI.
func Skopeo(t testing.TB) string {
	t.Helper()
	return Installed(t, "skopeo")
}

// Installed returns the path of another project's program. If there is none, the test
// is skipped, and fails in CI.
func Installed(t testing.TB, name string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return program
}
