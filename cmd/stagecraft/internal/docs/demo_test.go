package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestDemo runs examples/demo.sh, with an engine and without one.
func TestDemo(t *testing.T) {
	for _, tool := range []string{"bash", "tar", "cmp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	t.Run("no engine", func(t *testing.T) {
		out := demo(t, "unix://"+filepath.Join(t.TempDir(), "none.sock"))
		wantWords(t, "the demo", out, []string{"no engine answers", "manifest  sha256:", " server\n", `"Entrypoint":["/server"]`, "\n==> done\n"})
	})
	providertest.Engines(t, func(t *testing.T, e providertest.Engine) {
		name := map[bool]string{false: "Docker ", true: "Podman "}[e.About(t).Podman]
		out := demo(t, e.Host)
		wantWords(t, "the demo", out, []string{"built go-http:", " with " + name, " (API 1.", "\n==> done\n"})
		if strings.Contains(out, "no engine answers") {
			t.Error(out)
		}
	})
}

// demo runs it in a directory that contains only what "make demo" builds.
func demo(t *testing.T, engine string) string {
	t.Helper()
	root, temp := t.TempDir(), t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "examples"), os.DirFS(filepath.Join(clitest.Root(), "examples"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(clitest.Binary(), filepath.Join(root, "bin", "stagecraft")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(root, "examples", "demo.sh"))
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+engine, "TMPDIR="+temp, "HOME="+t.TempDir(), "XDG_CACHE_HOME="+clitest.Cache())
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		cmd.Env = append(cmd.Env, name+"="+providertest.GoEnv(name))
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	return string(out)
}
