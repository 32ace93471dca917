package capability_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// effect is a program that does as a variable says. In its texts, {dir} is a
// directory of its own with its files, {evil} a program that prints "marked" and
// makes the file {dir}/marked, {http} and {https} are servers of the test's that
// answer "marked", and {path} is where programs are found.
type effect struct {
	// env is the variable, and what else it needs beside it.
	env []string
	// run is a script of sh, in {dir}. What prepare does is done before, without
	// the variable.
	run, prepare string
	files        map[string]string
	// needs are programs besides the first word of the script.
	needs []string
	// said is what the program says where it does as the variable says; without
	// it, {evil} runs.
	said string
}

// TestVariablesTakeEffect runs the programs that are there with variables of the
// table, so that what the table says of them is known to be so. Without the
// variable, nothing of it may happen.
func TestVariablesTakeEffect(t *testing.T) {
	// Another version of a program may go by other variables.
	providertest.Long(t)
	mark := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("marked\n")) }
	plain, secure := httptest.NewServer(http.HandlerFunc(mark)), httptest.NewTLSServer(http.HandlerFunc(mark))
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	cert := certOf(secure)
	for _, e := range slices.Concat(systemEffects, toolEffects, languageEffects) {
		name, _, _ := strings.Cut(e.env[0], "=")
		program, _, _ := strings.Cut(e.run, " ")
		t.Run(name+"/"+program, func(t *testing.T) {
			t.Parallel()
			for _, need := range append(e.needs, program) {
				needs(t, need)
			}
			if _, ok := capability.Dangerous(name); !ok {
				t.Errorf("%s is not in the table", name)
			}
			r := effectRun{e, strings.NewReplacer("{https}", secure.URL, "{http}", plain.URL), cert}
			if out, done := r.do(t, nil); done {
				t.Errorf("without the variable, it takes effect too:\n%s", out)
			}
			if out, done := r.do(t, e.env); !done {
				t.Errorf("%s has no effect:\n%s", e.env, out)
			}
		})
	}
}

// needs names a program that is not there. Those that it takes to develop are.
func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if slices.Contains([]string{"sh", "git", "go", "make"}, program) {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed, so that what the table says of it is not tried", program)
}

type effectRun struct {
	effect
	servers *strings.Replacer
	cert    string
}

// do runs the program in a directory of its own, and reports whether the variable
// took effect.
func (r effectRun) do(t *testing.T, env []string) (said string, done bool) {
	t.Helper()
	dir := t.TempDir()
	own := strings.NewReplacer("{dir}", dir, "{evil}", dir+"/evil", "{path}", os.Getenv("PATH"))
	expand := func(text string) string { return r.servers.Replace(own.Replace(text)) }
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write("evil", "#!/bin/sh\necho marked >&2\n: >"+dir+"/marked\nexit 1\n")
	write("cert.pem", r.cert)
	for name, text := range r.files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(name, expand(text))
	}
	if out, err := shell(t, dir, expand(r.prepare), nil); err != nil {
		t.Fatalf("%s: %v\n%s", r.prepare, err, out)
	}
	vars := make([]string, len(env))
	for i, entry := range env {
		vars[i] = expand(entry)
	}
	// Some programs fail by what the variable says.
	out, _ := shell(t, dir, expand(r.run), vars)
	_, err := os.Stat(filepath.Join(dir, "marked"))
	if r.said != "" {
		return out, strings.Contains(out, expand(r.said))
	}
	return out, err == nil
}

// shell runs a script with nothing of the user's but what programs are found by.
func shell(t *testing.T, dir, script string, env []string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "LC_ALL=C", "GOCACHE=" + filepath.Join(dir, "cache"), "RUSTUP_HOME=" + rustup()}, env...)
	// It has no terminal to ask, or to be stopped by.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Minute
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s does not end", script)
	}
	return string(out), err
}

// rustup is where rustup keeps its compilers, without which cargo is not there.
func rustup() string {
	if dir := os.Getenv("RUSTUP_HOME"); dir != "" {
		return dir
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".rustup")
}
