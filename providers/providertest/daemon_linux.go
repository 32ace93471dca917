package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Daemon is a daemon of a test.
type Daemon struct {
	Address string // tcp://HOST:PORT or unix://PATH
	cmd     *exec.Cmd
	ended   chan error
}

// tlsArgs returns a daemon's arguments for the certificates in a directory.
func tlsArgs(dir string) []string {
	return []string{"--tlscacert", filepath.Join(dir, "ca.pem"), "--tlscert", filepath.Join(dir, "cert.pem"), "--tlskey", filepath.Join(dir, "key.pem")}
}

// shortDir returns a directory with a path short enough for a socket.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// inNamespaces runs a daemon as the first process of a PID name space, with
// mounts of its own, so that its processes and mounts cannot outlive it.
func inNamespaces(program string, args []string) *exec.Cmd {
	const script = `mount --make-rslave / && mount -t proc proc /proc && exec "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, "sh", program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
	}
	return cmd
}

// start starts the daemon, which ends with the test, and waits until it serves.
func (d *Daemon) start(t testing.TB, program string, args []string) {
	t.Helper()
	var log bytes.Buffer
	d.cmd = inNamespaces(program, args)
	d.cmd.Stdout, d.cmd.Stderr = &log, &log
	if err := d.run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.stop)
	if err := d.serves(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, log.String())
	}
}

func (d *Daemon) run() error {
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

// Kill kills the daemon and its processes, and waits for their end.
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

// freeAddress returns an unused port of the loopback.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
