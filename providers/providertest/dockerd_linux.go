package providertest

import (
	"os"
	"path/filepath"
	"testing"
)

// DockerOptions are what a test wants of a Docker engine of its own.
type DockerOptions struct {
	// Like is the engine for tests whose program and kind of store it has.
	Like Engine
	// Certs is a directory with ca.pem, cert.pem and key.pem: the engine listens at
	// a port of the loopback then, for clients with a certificate alone.
	Certs string
}

// StartDocker starts a Docker engine for a test that does something to it, which
// ends with it. As the engines of all tests, see .ci/with-engine, it has its own
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
	// Of either kind of store, the one that is at home on any file system.
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
