// Package registrytest runs a real registry for tests, Debian's docker-registry.
package registrytest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Registry is one that runs on the loopback, in plain http, until its test ends.
type Registry struct {
	Host string // host:port
	// Tokens is its token server, nil for one that takes passwords.
	Tokens *TokenServer
}

// Basic has a registry that takes a password. Where there is none to run, the
// test is left out, and fails in CI.
func Basic(t *testing.T, user, password string) Registry {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, []byte(user+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Registry{Host: run(t, "  htpasswd: {realm: test, path: "+file+"}\n")}
}

// Token has a registry that takes tokens of a server, which takes the password.
// It is left out as [Basic] is.
func Token(t *testing.T, user, password string) Registry {
	t.Helper()
	server := newTokenServer(t, user, password)
	auth := "  token: {realm: " + server.URL + "/token, service: " + service + ", issuer: " + issuer + ", rootcertbundle: " + server.certificate + "}\n"
	return Registry{Host: run(t, auth), Tokens: server}
}

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// run starts a registry, and returns where it listens.
func run(t *testing.T, auth string) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	config := "version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: " + dir + "/data}}\nhttp: {addr: \"127.0.0.1:0\"}\nauth:\n" + auth
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
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return address(t, bufio.NewScanner(out))
}

// address reads where a registry says that it listens, and goes on reading.
func address(t *testing.T, out *bufio.Scanner) string {
	t.Helper()
	var text strings.Builder
	for out.Scan() {
		if at := listening.FindStringSubmatch(out.Text()); at != nil {
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
