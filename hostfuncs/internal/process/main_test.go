//go:build unix

package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test's own program also serves as the children that a shell cannot be. This
// variable says which.
const helperVar = "STAGECRAFT_TEST_HELPER"

// markVar has a value that only the processes of one test have.
const markVar = "STAGECRAFT_TEST_MARK"

func TestMain(m *testing.M) {
	// A program started with nohup or in the background inherits ignored signals, and
	// so would its children. A signal that has a handler is reset when they start.
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
	if name := os.Getenv(helperVar); name != "" {
		helper, ok := helpers()[name]
		if !ok {
			fmt.Fprintf(os.Stderr, "no helper %q\n", name)
			os.Exit(99)
		}
		os.Exit(helper(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// deadline is for what must end by itself; reaching it fails the test.
const deadline = 15 * time.Minute

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return ctx
}

func mark(t testing.TB) string {
	return fmt.Sprintf("%s-%d-%d", strings.ReplaceAll(t.Name(), "/", "-"), os.Getpid(), time.Now().UnixNano())
}

// shell is a command that runs a script, with a mark of its own.
func shell(t testing.TB, script string) Command {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return Command{
		Program: "/bin/sh", Argv: []string{"sh", "-c", script}, Dir: dir,
		Env:   []string{"PATH=" + os.Getenv("PATH"), markVar + "=" + mark(t)},
		Grace: deadline, Guards: embedded(),
	}
}

// helper is a command that runs a helper of this program.
func helper(t testing.TB, name string, args ...string) Command {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := shell(t, "")
	c.Program, c.Argv = self, append([]string{"helper"}, args...)
	c.Env = append(c.Env, helperVar+"="+name)
	return c
}

func run(t testing.TB, c Command) Result {
	t.Helper()
	res, err := Run(testContext(t), c)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return res
}

// transcript keeps what is written and closes came after a text.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	await string
	came  chan struct{}
}

func expect(text string) *transcript {
	return &transcript{await: text, came: make(chan struct{})}
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := strings.Contains(w.text.String(), w.await)
	w.text.Write(p)
	if !before && strings.Contains(w.text.String(), w.await) {
		close(w.came)
	}
	return len(p), nil
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// until waits for the text.
func (w *transcript) until(t testing.TB) {
	t.Helper()
	select {
	case <-w.came:
	case <-testContext(t).Done():
		t.Fatalf("never got %q; got %q", w.await, w)
	}
}

type outcome struct {
	res Result
	err error
}

// launch runs a command beside the test.
func launch(ctx context.Context, c Command) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		res, err := Run(ctx, c)
		done <- outcome{res, err}
	}()
	return done
}

func (o outcome) must(t testing.TB) Result {
	t.Helper()
	if o.err != nil {
		t.Fatalf("Run: %v", o.err)
	}
	return o.res
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
