package build

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
)

const helperSecret = "canary-5ecret"

// userWithHelper is a user whose configuration has r.io's credentials kept by
// docker-credential-fake, a shell script. log is where it may write.
func userWithHelper(t *testing.T, script string) (env *values.Environment, log string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no shell")
	}
	directory := t.TempDir()
	log = filepath.Join(directory, "log")
	for name, text := range map[string]string{
		"config.json":            `{"credHelpers": {"r.io": "fake"}}`,
		"docker-credential-fake": "#!/bin/sh\n" + script,
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return values.New(values.Options{Environ: []string{
		"PATH=.:" + directory + ":/usr/bin:/bin", "DOCKER_CONFIG=" + directory, "LOG=" + log, "SECRET=" + helperSecret,
	}}), log
}

func TestCredentialHelper(t *testing.T) {
	env, log := userWithHelper(t, `echo "$0 $* $(cat)" >>"$LOG"; pwd >>"$LOG"; echo "{\"Username\": \"me\", \"Secret\": \"$SECRET\"}"`)
	c := newCredentials(env, nil)
	for range 2 {
		auth, err := c.Lookup(t.Context(), "r.io")
		if err != nil || auth.Username != "me" || auth.Password != helperSecret {
			t.Errorf("got %v, %v", auth, err)
		}
	}
	directory := filepath.Dir(log)
	want := filepath.Join(directory, "docker-credential-fake") + " get r.io\n" + directory + "\n"
	if text, err := os.ReadFile(log); err != nil || string(text) != want {
		t.Errorf("it was run so: %s (%v), want %s", text, err, want)
	}
}

func TestCredentialHelperRefused(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"fails", `echo "$SECRET"; echo "$SECRET" >&2; exit 1`, "docker-credential-fake failed with exit code 1; see what `echo r.io | docker-credential-fake get` says"},
		{"garbage", `echo "$SECRET"`, "its answer is not JSON"},
		{"prints without end", `exec yes "$SECRET"`, "docker-credential-fake: it prints more than 1 MiB; check that it works"},
		{"killed", `echo "$SECRET"; kill -9 $$`, "docker-credential-fake failed with exit code 137"},
		{"no interpreter", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env, _ := userWithHelper(t, tt.script)
			if tt.name == "no interpreter" {
				tt.want = "no-such-shell"
				file := filepath.Join(env.Get("DOCKER_CONFIG"), "docker-credential-fake")
				if err := os.WriteFile(file, []byte("#!/no-such-shell\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			_, err := newCredentials(env, nil).Lookup(t.Context(), "r.io")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "config.json keeps the credentials for r.io in a helper") {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), helperSecret) {
				t.Errorf("the secret is in %q", err)
			}
		})
	}
}

// TestCredentialHelperMissing has one that only a relative directory of PATH would
// find.
func TestCredentialHelperMissing(t *testing.T) {
	env, log := userWithHelper(t, `touch "$LOG"; echo '{"Username": "u", "Secret": "s"}'`)
	t.Chdir(filepath.Dir(log))
	env = values.New(values.Options{Environ: append(env.Environ(), "PATH=.::/usr/bin")})
	_, err := newCredentials(env, nil).Lookup(t.Context(), "r.io")
	if err == nil || !strings.Contains(err.Error(), "docker-credential-fake: not found in PATH; check that it works, or remove it from that file") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(log); err == nil {
		t.Error("it was run")
	}
}

func TestCredentialHelperHangs(t *testing.T) {
	env, _ := userWithHelper(t, `trap "" TERM; sleep 600 & sleep 600`)
	_, _, err := helpers{env.Environ(), env.Get("PATH"), 300 * time.Millisecond, nil}.run(t.Context(), "docker-credential-fake", []string{"get"}, "r.io")
	if err == nil || !strings.HasSuffix(err.Error(), "docker-credential-fake: no answer within 300ms") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := newCredentials(env, nil).Lookup(ctx, "r.io"); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}
