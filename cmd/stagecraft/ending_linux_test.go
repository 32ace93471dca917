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

// endingProject is a project whose command prints more than a pipe holds.
const endingProject = `backend: {provider: generic, providers: {generic: {dev: {command: [sh, -c, "yes | head -c 1000000"]}, build: {context: .}}}}
`

// TestSignalEnds: one signal ends stagecraft whatever it waits for, and it says what it
// waits for.
func TestSignalEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		// prepare creates the reason to wait.
		prepare func(t *testing.T, dir string) awaited
		shown   string // on standard error before the signal
	}{
		"the project's lock": {
			args: []string{"provider", "untrust", "mine"}, prepare: lockIt("."),
			shown: "waiting for another process that has locked the project directory",
		},
		"the audit log's lock": {
			args: []string{"dev", "--audit", "audit.jsonl"}, prepare: lockIt("audit.jsonl"),
			shown: "waiting for another process that writes to the audit log",
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
			var reason awaited
			if tt.prepare != nil {
				reason = tt.prepare(t, dir)
			}
			endBySignal(t, dir, tt.args, tt.shown, reason, syscall.SIGTERM)
		})
	}
}

// awaited is a reason for a command to wait.
type awaited struct {
	environ []string        // makes the command wait
	reached <-chan struct{} // closed once it waits; nil if something else shows it
}

// endBySignal runs a command, whose output is not read, until it waits, and requires
// that a signal ends it.
func endBySignal(t *testing.T, dir string, args []string, shown string, reason awaited, sig syscall.Signal) {
	t.Helper()
	// A limit for hangs only.
	ctx, cancel := context.WithTimeout(t.Context(), clitest.Hang)
	defer cancel()
	cmd := exec.CommandContext(ctx, clitest.Binary(), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "CI=")
	cmd.Env = append(cmd.Env, reason.environ...)
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
	printed := ""
	switch {
	case shown != "":
		printed = readUntil(stderr, shown)
	case reason.reached != nil:
		select {
		case <-reason.reached:
		case <-ctx.Done():
		}
	default:
		// The next write to a full pipe waits.
		waitFull(ctx, unread)
	}
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(stderr)
	err = cmd.Wait()
	if ctx.Err() != nil || cmd.ProcessState.ExitCode() != 130 || strings.Contains(string(rest), "goroutine") {
		t.Errorf("ended with %v, %v; printed %s%s", err, ctx.Err(), printed, rest)
	}
}

// readUntil reads lines up to one that contains a text.
func readUntil(r io.Reader, text string) string {
	output := ""
	for lines := bufio.NewReader(r); !strings.Contains(output, text); {
		line, err := lines.ReadString('\n')
		output += line
		if err != nil {
			break
		}
	}
	return output
}

// waitFull waits until a pipe is full.
func waitFull(ctx context.Context, pipe *os.File) {
	size, _ := unix.FcntlInt(pipe.Fd(), unix.F_GETPIPE_SZ, 0)
	for ctx.Err() == nil {
		n, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ)
		if err != nil || n >= size {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// lockIt creates and locks a file of the project.
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

// silentEngine accepts a connection, and sends nothing.
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

// longLog writes an audit log whose text exceeds the pipe.
func longLog(t *testing.T, dir string) awaited {
	text := strings.Repeat("no record\n", 1000)
	if err := os.WriteFile(filepath.Join(dir, "long.jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return awaited{}
}
