package clitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// command is a script command with least to most arguments; a negative most is no
// limit.
type command struct {
	usage       string
	least, most int
	run         func(ts *testscript.TestScript, args []string)
}

func (c command) script() Command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < c.least || c.most >= 0 && len(args) > c.most {
			ts.Fatalf("usage: %s", c.usage)
		}
		c.run(ts, args)
	}
}

var commands = map[string]command{
	"atmost":    {"atmost BYTES STREAM", 2, 2, cmdAtMost},
	"exits":     {"exits CODE PROGRAM ARG...", 2, -1, cmdExits},
	"dropin":    {"dropin NAME [AS]", 1, 2, cmdDropin},
	"untrusted": {"untrusted NAME [AS]", 1, 2, cmdUntrusted},
	"described": {"described ID SCHEMA [TEXT_FROM...]", 2, -1, cmdDescribed},
	"trusted":   {"trusted ID", 1, 1, cmdTrusted},
	"player":    {"player", 0, 0, cmdPlayer},
	"encore":    {"encore [-strict|-alone] [STEERING]", 0, 2, cmdEncore},
	"port":      {"port NAME", 1, 1, cmdPort},
	"server":    {"server silent NAME, or server redirects NAME FILE", 2, 3, cmdServer},
	"expand":    {"expand FILE...", 1, -1, cmdExpand},
	"httpget":   {"httpget URL", 1, 1, cmdHTTPGet},
	"clean":     {"clean", 0, 0, cmdClean},
	"wait-file": {"wait-file FILE [TEXT]", 1, 2, cmdWaitFile},
	"gone":      {"gone FILE", 1, 1, cmdGone},
	"runs":      {"runs FILE", 1, 1, cmdRuns},
	"interrupt": {"interrupt", 0, 0, cmdInterrupt},
	"ended":     {"ended CODE", 1, 1, cmdEnded},
	"ask":       {"ask [-ahead TYPED] CODE ANSWER... -- ARG...", 3, -1, cmdAsk},
	"swap":      {"swap NAME OTHER", 2, 2, cmdSwap},
	"alternate": {"alternate NAME FILE OTHER", 3, 3, cmdAlternate},
	"attest":    {"attest FILE KEY [POLICY...] [config=TEXT]", 2, -1, cmdAttest},
	"bomb":      {"bomb FILE", 1, 1, cmdBomb},
	"released":  {"released", 0, 0, cmdReleased},
}

func condition(name string) (bool, error) {
	switch name {
	case "engine":
		host, fatal, err := providertest.FirstEngine("a script of cmd/stagecraft")
		if fatal {
			return false, err
		}
		return host != "", nil
	case "root":
		return os.Geteuid() == 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// cmdExits runs a program, which must exit with CODE.
func cmdExits(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := err.(*exec.ExitError); ok {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdHTTPGet waits until a server answers, and prints the body.
func cmdHTTPGet(ts *testscript.TestScript, args []string) {
	ctx, cancel := whileRunning(ts)
	defer cancel()
	body, err := Get(ctx, args[0])
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), body)
}

// Get repeats a request until a server answers, and returns the body.
func Get(ctx context.Context, url string) (string, error) {
	client := new(http.Client)
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		resp, err := client.Do(req)
		if err == nil {
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			return string(body), err
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var errEnded = errors.New("the background commands of the script have ended")

// whileRunning returns a context that ends with the last background command of the
// script: nothing can be awaited from it then.
func whileRunning(ts *testscript.TestScript) (context.Context, func()) {
	running := ts.BackgroundCmds()
	if len(running) == 0 {
		return context.WithTimeout(context.Background(), Hang)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil {
			if !slices.ContainsFunc(running, func(c *exec.Cmd) bool { return c.Process.Signal(syscall.Signal(0)) == nil }) {
				cancel(errEnded)
			}
			<-time.After(10 * time.Millisecond)
		}
	})
	return ctx, func() {
		cancel(nil)
		watch.Wait()
	}
}

// cmdClean fails on a panic trace in the last output, and on an incompletely written
// file in the work directory.
func cmdClean(ts *testscript.TestScript, _ []string) {
	for _, stream := range []string{"stdout", "stderr"} {
		text := ts.ReadFile(stream)
		for _, trace := range []string{"goroutine ", "panic:", "runtime error", "wasm stack trace", ".go:"} {
			if strings.Contains(text, trace) {
				ts.Fatalf("%s has %q", stream, trace)
			}
		}
	}
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, _ os.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(path), ".stagecraft-") {
			return fmt.Errorf("%s is left", path)
		}
		return err
	}))
}

// cmdWaitFile waits until a file exists and contains TEXT.
func cmdWaitFile(ts *testscript.TestScript, args []string) {
	ctx, cancel := whileRunning(ts)
	defer cancel()
	for last := false; ; <-time.After(10 * time.Millisecond) {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && (len(args) == 1 || strings.Contains(string(data), args[1])) {
			return
		}
		if last {
			break
		}
		// The file may appear between the check and the end.
		last = ctx.Err() != nil
	}
	ts.Fatalf("%s did not appear", strings.Join(args, " with "))
}

// cmdGone fails if a process still runs whose ID is in FILE.
func cmdGone(ts *testscript.TestScript, args []string) {
	for _, pid := range strings.Fields(ts.ReadFile(args[0])) {
		if state, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil {
			ts.Fatalf("process %s still runs: %s", pid, state)
		}
	}
}

// cmdRuns fails unless the process runs whose ID is in FILE.
func cmdRuns(ts *testscript.TestScript, args []string) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	process, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(process.Signal(syscall.Signal(0)))
}

// cmdAtMost bounds the size of the last output.
func cmdAtMost(ts *testscript.TestScript, args []string) {
	limit, err := strconv.Atoi(args[0])
	ts.Check(err)
	if n := len(ts.ReadFile(args[1])); n > limit {
		ts.Fatalf("%s has %d bytes, want at most %d", args[1], n, limit)
	}
}

// interrupted is the command that a script interrupted last. The wait of testscript
// does not show its exit code.
type interrupted struct{ cmd *exec.Cmd }

type interruptedKey struct{}

// cmdInterrupt sends SIGINT to the last background command.
func cmdInterrupt(ts *testscript.TestScript, _ []string) {
	running := ts.BackgroundCmds()
	if len(running) == 0 {
		ts.Fatalf("interrupt: no background command")
	}
	last := running[len(running)-1]
	ts.Check(last.Process.Signal(os.Interrupt))
	ts.Value(interruptedKey{}).(*interrupted).cmd = last
}

// cmdEnded checks the exit code of the interrupted command, after wait.
func cmdEnded(ts *testscript.TestScript, args []string) {
	last := ts.Value(interruptedKey{}).(*interrupted).cmd
	if last == nil || last.ProcessState == nil {
		ts.Fatalf("ended: requires interrupt and wait before it")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := last.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d after the interrupt, want %d", got, want)
	}
}
