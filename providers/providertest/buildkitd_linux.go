package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BuildKitOptions are what a test wants of a BuildKit daemon of its own.
type BuildKitOptions struct {
	// Data is the folder of what it keeps, empty for a new one.
	Data string
	// Certs is a folder with ca.pem, cert.pem and key.pem: the daemon listens at
	// a port of the loopback then, for clients with a certificate alone.
	Certs string
	// Args are further arguments of the daemon's.
	Args []string
}

// Daemon is a BuildKit daemon of a test.
type Daemon struct {
	Address string // tcp://HOST:PORT or unix://PATH
	cmd     *exec.Cmd
	ended   chan error
}

// BuildKit starts a BuildKit daemon for a test, which ends with it, and returns
// its address. Where there is an engine for tests, one of these can run too.
func BuildKit(t testing.TB) string {
	t.Helper()
	return StartBuildKit(t, BuildKitOptions{}).Address
}

// StartBuildKit is [BuildKit] for tests that want a certain one.
func StartBuildKit(t testing.TB, o BuildKitOptions) *Daemon {
	t.Helper()
	if _, fatal, err := Engine(t.Name()); fatal {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
	program, err := Tool("buildkitd")
	if err != nil {
		t.Fatal(err)
	}
	// A socket's path has to be short.
	dir, err := os.MkdirTemp("", "bk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if o.Data == "" {
		o.Data = filepath.Join(dir, "data")
	}
	d := &Daemon{Address: "unix://" + filepath.Join(dir, "s"), ended: make(chan error, 1)}
	args := append([]string{"--config", os.DevNull, "--root", o.Data,
		"--oci-worker-net=host", "--containerd-worker=false", "--oci-worker-snapshotter=native", "--allow-insecure-entitlement=network.host"}, o.Args...)
	if o.Certs != "" {
		d.Address = "tcp://" + freeAddress(t)
		args = append(args, "--tlscacert", filepath.Join(o.Certs, "ca.pem"), "--tlscert", filepath.Join(o.Certs, "cert.pem"), "--tlskey", filepath.Join(o.Certs, "key.pem"))
	}
	var log bytes.Buffer
	d.cmd = inNamespaces(program, append(args, "--addr", d.Address))
	d.cmd.Stdout, d.cmd.Stderr = &log, &log
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.stop)
	if err := d.serves(); err != nil {
		t.Fatalf("buildkitd: %v\n%s", err, log.String())
	}
	return d
}

// inNamespaces runs a daemon as the first process of a PID name space, with
// mounts of its own: what it runs, and what it mounts, can't outlive it.
func inNamespaces(program string, args []string) *exec.Cmd {
	const script = `mount --make-rslave / && mount -t proc proc /proc && exec "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, "sh", program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
	}
	return cmd
}

func (d *Daemon) start() error {
	started := make(chan error)
	go func() {
		// The signal comes when this thread ends.
		runtime.LockOSThread()
		err := d.cmd.Start()
		started <- err
		if err == nil {
			d.ended <- d.cmd.Wait()
			close(d.ended)
		}
	}()
	return <-started
}

// Kill ends the daemon and what it runs without a warning, and waits for that.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill()
	<-d.ended
}

func (d *Daemon) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(30 * time.Second):
		d.Kill()
	}
}

// serves waits until something answers at the daemon's address.
func (d *Daemon) serves() error {
	at, err := url.Parse(d.Address)
	if err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		select {
		case err := <-d.ended:
			return fmt.Errorf("it ended: %w", err)
		case <-limit:
			return errors.New("it does not serve within a minute")
		case <-tick.C:
		}
		if c, err := net.Dial(at.Scheme, at.Host+at.Path); err == nil {
			return c.Close()
		}
	}
}

// freeAddress is a port of the loopback that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Tool builds one of the programs of .ci/tools, which the go command keeps for the
// next time, and returns its path.
func Tool(name string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	// A tool's last element is its name.
	list, err := goCommand(root, "list", "tool")
	if err != nil {
		return "", err
	}
	for tool := range strings.FieldsSeq(list) {
		if path.Base(tool) != name {
			continue
		}
		// Right after it was built it is at another place than where it is kept.
		for range 2 {
			// As the program is built, so that what both have is compiled once;
			// go tool can't.
			program, err := goCommand(root, "run", "-trimpath", "-exec", "echo", tool)
			if err != nil {
				return "", err
			}
			if _, err := os.Stat(program); err == nil {
				return program, nil
			}
		}
	}
	return "", fmt.Errorf("there is no %s in .ci/tools", name)
}

func goCommand(root string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = filepath.Join(root, ".ci", "tools"), append(os.Environ(), "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.String())
	}
	return string(bytes.TrimSpace(out)), nil
}
