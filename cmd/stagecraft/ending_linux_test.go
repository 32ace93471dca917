package main_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// endingProject is a project whose command prints more than a pipe takes.
const endingProject = `backend: {provider: generic, providers: {generic: {dev: {command: [sh, -c, "yes | head -c 1000000"]}, build: {context: .}}}}
`

// TestSignalEnds wants one signal to end us at any moment, whatever is waited
// for then, and what is waited for to be told of.
func TestSignalEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		// prepare makes what is waited for.
		prepare func(t *testing.T, dir string) awaited
		told    string // what standard error has by then
	}{
		"the project's lock": {
			args: []string{"provider", "untrust", "mine"}, prepare: lockIt("."),
			told: "waiting for another process that has locked the project directory",
		},
		"the audit log's lock": {
			args: []string{"dev", "--audit", "audit.jsonl"}, prepare: lockIt("audit.jsonl"),
			told: "waiting for another process that writes to the audit log",
		},
		"an engine that says nothing": {
			args: []string{"build", "--engine", "docker"}, prepare: silentEngine,
		},
		"a reader of standard output": {
			args: []string{"audit", "show", "long.jsonl"}, prepare: longLog,
		},
		"a reader of what a command prints": {args: []string{"dev"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range map[string]string{
				"stagecraft.yml": endingProject, "Dockerfile": "FROM scratch\n",
				"stagecraft.lock": "version: 1\nproviders:\n  mine: {version: '1', sha256: " + strings.Repeat("ab", 32) +
					", abi: 1, source: project, path: x.wasm, imports: [], asked: {}, granted: {}}\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var what awaited
			if tt.prepare != nil {
				what = tt.prepare(t, dir)
			}
			endBySignal(t, dir, tt.args, tt.told, what, syscall.SIGTERM)
		})
	}
}

// awaited is what a command comes to wait for.
type awaited struct {
	environ []string        // leads there
	reached <-chan struct{} // closed once it waits; nil where something else tells
}

// endBySignal runs a command, whose output nobody reads, until it waits for
// something, and wants it to end by a signal then.
func endBySignal(t *testing.T, dir string, args []string, told string, what awaited, sig syscall.Signal) {
	t.Helper()
	// Only so that a fault does not hang the tests.
	ctx, cancel := context.WithTimeout(t.Context(), clitest.Hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, clitest.Binary(), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "CI=")
	cmd.Env = append(cmd.Env, what.environ...)
	unread, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	if _, err := unix.FcntlInt(unread.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdout.Close()
	said := ""
	switch {
	case told != "":
		said = readUntil(stderr, told)
	case what.reached != nil:
		select {
		case <-what.reached:
		case <-ctx.Done():
		}
	default:
		// A full pipe has no room: what is written next waits.
		fillsUp(ctx, unread)
	}
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(stderr)
	err = cmd.Wait()
	if ctx.Err() != nil || cmd.ProcessState.ExitCode() != 130 || strings.Contains(string(rest), "goroutine") {
		t.Errorf("it ended with %v, %v; it said %s%s", err, ctx.Err(), said, rest)
	}
}

// readUntil reads lines up to the one that has a text.
func readUntil(r io.Reader, text string) string {
	said := ""
	for lines := bufio.NewReader(r); !strings.Contains(said, text); {
		line, err := lines.ReadString('\n')
		said += line
		if err != nil {
			break
		}
	}
	return said
}

// fillsUp waits until a pipe has as much in it as it takes.
func fillsUp(ctx context.Context, pipe *os.File) {
	size, _ := unix.FcntlInt(pipe.Fd(), unix.F_GETPIPE_SZ, 0)
	for ctx.Err() == nil {
		n, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ)
		if err != nil || n >= size {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// lockIt has the lock of a file of the project, which it makes.
func lockIt(name string) func(*testing.T, string) awaited {
	return func(t *testing.T, dir string) awaited {
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
		if name == "." {
			f, err = os.Open(path)
		}
		if err == nil {
			err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return awaited{}
	}
}

// silentEngine takes a connection, and says nothing.
func silentEngine(t *testing.T, _ string) awaited {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	reached := make(chan struct{})
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		close(reached)
		_, _ = io.Copy(io.Discard, c)
	}()
	return awaited{[]string{"DOCKER_HOST=tcp://" + l.Addr().String()}, reached}
}

// longLog makes an audit log that is more to show than the pipe takes.
func longLog(t *testing.T, dir string) awaited {
	text := strings.Repeat("no record\n", 1000)
	if err := os.WriteFile(filepath.Join(dir, "long.jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return awaited{}
}
