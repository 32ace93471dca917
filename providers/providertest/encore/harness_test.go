//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// encore is the built program.
var encore string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "encore-standin-")
	if err != nil {
		panic(err)
	}
	encore = filepath.Join(dir, "encore")
	if out, err := exec.Command("go", "build", "-o", encore, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// patience is for what would otherwise never end. It is below the limit of all
// tests, so that what hangs is said.
const patience = 50 * time.Minute

// world is an app, a state directory, and what the program is given.
type world struct {
	t     *testing.T
	app   string
	state state
	env   []string
}

func newWorld(t *testing.T, steer string) *world {
	t.Helper()
	w := &world{t: t, app: t.TempDir(), state: state(t.TempDir())}
	w.write(filepath.Join(w.app, "encore.app"), `{"id": "shop"}`)
	if steer != "" {
		w.write(w.state.file("standin.json"), steer)
	}
	home := t.TempDir()
	w.env = []string{"PATH=" + os.Getenv("PATH"), stateEnv + "=" + string(w.state), "HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, "config")}
	for name, text := range map[string]string{tokenFile: "{}", "telemetry.json": `{"enabled":true,"shown_warning":true}`, "onboarding.json": `{"deploy_hint":true}`} {
		w.write(w.userFile(name), text)
	}
	t.Cleanup(w.stop)
	return w
}

func (w *world) userFile(name string) string {
	return filepath.Join(w.variable("XDG_CONFIG_HOME"), "encore", name)
}

// variable is what the program is given of one.
func (w *world) variable(name string) string {
	for _, pair := range slices.Backward(w.env) {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// stop ends the daemon.
func (w *world) stop() {
	w.write(w.state.file("daemon.stop"), "")
	w.until("the daemon has ended", func() bool {
		unlock, err := w.state.lock("daemon.lock", syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			unlock()
		}
		return err == nil
	})
}

func (w *world) write(path, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(path string) string {
	w.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !ok(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("it did not come that %s", what)
		}
	}
}

func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, encore, args...)
	cmd.Dir, cmd.Env = w.app, w.env
	return cmd
}

type result struct {
	code           int
	stdout, stderr string
}

// run runs to the end; a signal that ended it is a negative code.
func (w *world) run(stdin string, args ...string) result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	cmd := w.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	return result{w.code(err), stdout.String(), stderr.String()}
}

func (w *world) code(err error) int {
	w.t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		w.t.Fatal(err)
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return -int(status.Signal())
	}
	return exit.ExitCode()
}

// freePort is one that nobody listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// taken reports whether somebody listens. It does not listen itself, which
// would be in the way of who is about to.
func taken(port string) bool {
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}
