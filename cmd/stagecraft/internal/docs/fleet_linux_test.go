package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestFleet runs the fleet of docs/scale.md on one machine: two daemons with the
// page's configuration and certificates from its script, and a registry with their
// shared cache. The second daemon takes from it what the first built.
func TestFleet(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	certs, others := makeCerts(t), makeCerts(t)
	registry := providertest.Registry(t, "")
	toml := filepath.Join(t.TempDir(), "buildkitd.toml")
	for _, m := range readFleet(t, "buildkitd.yaml").objects {
		if m.Kind == "ConfigMap" {
			clitest.WriteFile(t, toml, m.Data["buildkitd.toml"], 0o600)
		}
	}
	var daemons []string
	for range 2 {
		port, release, err := clitest.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(release)
		args := []string{"--config", toml, "--addr", "tcp://127.0.0.1:" + port}
		for _, m := range readFleet(t, "buildkitd.yaml").objects {
			if m.Kind == "StatefulSet" {
				args = append(args, tlsArgs(m, certs)...)
			}
		}
		providertest.StartBuildKit(t, providertest.BuildKitOptions{Args: args})
		daemons = append(daemons, "buildkit+tcp://127.0.0.1:"+port)
	}
	w := fleetProject(t, registry)
	build := func(daemon, certs string) (digest, progress string, code int) {
		args := []string{"build", "--engine", daemon, "--tag", registry + "/shop:1", "--push", "--json", "--progress", "plain"}
		if certs != "" {
			args = append(args, "--engine-certs", certs)
		}
		out, progress, code := w.Run(t, args...)
		var result struct{ Digest string }
		if code == 0 {
			if err := json.Unmarshal([]byte(out), &result); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		return result.Digest, progress, code
	}
	client := filepath.Join(certs, "client")
	first, progress, code := build(daemons[0], client)
	if code != 0 || first == "" || strings.Contains(progress, "CACHED") {
		t.Fatalf("exit code %d, digest %q\n%s", code, first, progress)
	}
	second, progress, code := build(daemons[1], client)
	if code != 0 || second != first || strings.Count(progress, "CACHED") < 2 {
		t.Errorf("exit code %d, digest %s, at first %s\n%s", code, second, first, progress)
	}
	for name, directory := range map[string]string{"certificates of another fleet": filepath.Join(others, "client"), "none": ""} {
		if _, said, code := build(daemons[0], directory); code != 6 || !strings.Contains(said, "no BuildKit at tcp://127.0.0.1") {
			t.Errorf("%s: exit code %d\n%s", name, code, said)
		}
	}
	if left, err := filepath.Glob(filepath.Join(certs, "*")); err != nil || len(left) != 2 {
		t.Errorf("%v is left of making certificates", left)
	}
}

// tlsArgs returns the page's daemon arguments for certificates.
func tlsArgs(m manifest, certs string) []string {
	args := slices.DeleteFunc(slices.Clone(m.Spec.Template.Spec.Containers[0].Args), func(arg string) bool { return !strings.Contains(arg, "/certs/") })
	for i, arg := range args {
		args[i] = strings.Replace(arg, "/certs", filepath.Join(certs, "daemon"), 1)
	}
	return args
}

func makeCerts(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "certs")
	if out, err := exec.Command(filepath.Join(clitest.Root(), "examples/fleet/certs.sh"), dir, "buildkitd.builds.svc", "127.0.0.1").CombinedOutput(); err != nil {
		t.Fatalf("certs.sh: %v\n%s", err, out)
	}
	for _, side := range []string{"daemon", "client"} {
		for _, name := range certFiles {
			if info, err := os.Stat(filepath.Join(dir, side, name)); err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("%s/%s: %v, %v", side, name, info, err)
			}
		}
	}
	return dir
}

// fleetProject is a project whose image has a RUN step.
func fleetProject(t *testing.T, registry string) clitest.Workspace {
	t.Helper()
	w := clitest.NewWorkspace(t, "")
	w.Write(t, "stagecraft.yml", fmt.Appendf(nil, `backend:
  provider: generic
  providers:
    generic:
      dev: {command: ["true"]}
      build:
        context: app
        cache_from: [%[1]s/cache/shop]
        cache_to: ["type=registry,ref=%[1]s/cache/shop,mode=max"]
`, registry))
	w.Write(t, "app/Dockerfile", []byte("FROM scratch\nCOPY stagecraft /\nRUN [\"/stagecraft\", \"version\"]\n"))
	program, err := os.ReadFile(clitest.Binary())
	if err != nil {
		t.Fatal(err)
	}
	w.Write(t, "app/stagecraft", program)
	if err := os.Chmod(filepath.Join(w.Dir, "app/stagecraft"), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}
