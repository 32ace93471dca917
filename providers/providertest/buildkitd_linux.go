package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// BuildKit starts a BuildKit daemon for a test, which ends with it, and returns
// its address, a socket. args are further ones of the daemon's. Where there is an
// engine for tests, one of these can run too.
func BuildKit(t testing.TB, args ...string) string {
	t.Helper()
	if _, fatal, err := Engine(t.Name()); fatal {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
	program, err := buildkitd()
	if err != nil {
		t.Fatal(err)
	}
	// A socket's path has to be short.
	dir, err := os.MkdirTemp("", "bk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	var log bytes.Buffer
	cmd := exec.Command(program, append([]string{
		"--config", os.DevNull, "--root", filepath.Join(dir, "data"), "--addr", "unix://" + socket,
		"--oci-worker-net=host", "--containerd-worker=false", "--oci-worker-snapshotter=native", "--allow-insecure-entitlement=network.host",
	}, args...)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// The signal comes when this thread ends.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	if err := serves(socket, ended); err != nil {
		t.Fatalf("buildkitd: %v\n%s", err, log.String())
	}
	return "unix://" + socket
}

// serves waits until something answers at a socket.
func serves(socket string, ended <-chan error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("it ended: %w", err)
		case <-limit:
			return errors.New("it does not serve within a minute")
		case <-tick.C:
		}
		if c, err := net.Dial("unix", socket); err == nil {
			return c.Close()
		}
	}
}

// buildkitd builds the daemon, which the go command keeps for the next time.
func buildkitd() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "tool", "-n", "buildkitd")
	cmd.Dir, cmd.Env = filepath.Join(root, ".ci", "tools"), append(os.Environ(), "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("building buildkitd: %w\n%s", err, stderr.String())
	}
	return string(bytes.TrimSpace(out)), nil
}
