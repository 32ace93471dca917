package providertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"testing"
)

// BuildKitOptions are for a test's own BuildKit daemon.
type BuildKitOptions struct {
	// Data is its data directory, empty for a new one.
	Data string
	// Certs is a directory with ca.pem, cert.pem and key.pem: the daemon listens at
	// a port of the loopback then, for clients with a certificate alone.
	Certs string
	// Args are further arguments of the daemon's.
	Args []string
}

// BuildKit starts a BuildKit daemon for a test, which ends with it, and returns
// its address. Where there is an engine for tests, one of these can run too.
func BuildKit(t testing.TB) string {
	t.Helper()
	return StartBuildKit(t, BuildKitOptions{}).Address
}

// StartBuildKit is [BuildKit] with options.
func StartBuildKit(t testing.TB, o BuildKitOptions) *Daemon {
	t.Helper()
	NeedEngine(t)
	program, err := Tool("buildkitd")
	if err != nil {
		t.Fatal(err)
	}
	dir := shortDir(t)
	if o.Data == "" {
		o.Data = filepath.Join(dir, "data")
	}
	d := &Daemon{Address: "unix://" + filepath.Join(dir, "s"), ended: make(chan error, 1)}
	args := append([]string{"--config", os.DevNull, "--root", o.Data,
		"--oci-worker-net=host", "--containerd-worker=false", "--oci-worker-snapshotter=native", "--allow-insecure-entitlement=network.host"}, o.Args...)
	if o.Certs != "" {
		d.Address = "tcp://" + freeAddress(t)
		args = append(args, tlsArgs(o.Certs)...)
	}
	d.start(t, program, append(args, "--addr", d.Address))
	return d
}

// Tool builds one of the programs that a module below .ci has as a tool, which
// the go command keeps for the next time, and returns its path.
func Tool(name string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	modules, err := filepath.Glob(filepath.Join(root, ".ci", "*", "go.mod"))
	if err != nil {
		return "", err
	}
	for _, file := range modules {
		tools, err := toolsOf(filepath.Dir(file))
		if err != nil {
			return "", err
		}
		for _, tool := range tools {
			// A tool's last element is its name.
			if path.Base(tool) == name {
				// As the program is built, so that what both have is compiled once; go
				// tool cannot.
				return linked(filepath.Dir(file), "-trimpath", tool)
			}
		}
	}
	return "", fmt.Errorf("no module below .ci has the tool %s", name)
}

// toolsOf reads the tools of a module from its go.mod: go list tool would download all
// of their dependencies.
func toolsOf(dir string) ([]string, error) {
	text, err := goCommand(dir, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var module struct{ Tool []struct{ Path string } }
	if err := json.Unmarshal([]byte(text), &module); err != nil {
		return nil, err
	}
	var tools []string
	for _, tool := range module.Tool {
		tools = append(tools, tool.Path)
	}
	return tools, nil
}

// DockerOptions are for a test's own Docker engine.
type DockerOptions struct {
	// Like is the engine for tests whose program and kind of store it has.
	Like Engine
	// Certs is a directory with ca.pem, cert.pem and key.pem: the engine listens at
	// a port of the loopback then, for clients with a certificate alone.
	Certs string
}

// StartDocker starts a Docker engine for a test that changes it, which ends with the
// test. As the engines of all tests, see .ci/with-engine, it has its own
// namespaces, and leaves the machine's network alone.
func StartDocker(t testing.TB, o DockerOptions) *Daemon {
	t.Helper()
	dir := shortDir(t)
	for _, name := range []string{"containerd", "etc"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "daemon.json")
	if err := os.WriteFile(config, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `mkdir -p /run/containerd /etc/docker && mount --bind "$0/containerd" /run/containerd && mount --bind "$0/etc" /etc/docker && exec "$@"`
	// For each kind of store, the driver that works on any file system.
	driver := "vfs"
	if o.Like.About(t).Containerd {
		driver = "native"
	}
	args := []string{"-c", script, dir, o.Like.Dockerd, "--config-file", config,
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "docker.pid"),
		"--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false",
		"--storage-driver=" + driver}
	d := &Daemon{Address: "unix://" + filepath.Join(dir, "s"), ended: make(chan error, 1)}
	if o.Certs != "" {
		d.Address = "tcp://" + freeAddress(t)
		args = append(append(args, "--tlsverify"), tlsArgs(o.Certs)...)
	}
	d.start(t, "sh", append(args, "--host", d.Address))
	return d
}
