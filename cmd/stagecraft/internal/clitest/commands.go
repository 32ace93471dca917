package clitest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

var commands = map[string]func(*testscript.TestScript, bool, []string){
	"atmost":    cmdAtMost,
	"exits":     cmdExits,
	"dropin":    cmdDropin,
	"untrusted": cmdUntrusted,
	"trusted":   cmdTrusted,
	"player":    cmdPlayer,
	"encore":    cmdEncore,
	"port":      cmdPort,
	"server":    cmdServer,
	"expand":    cmdExpand,
	"httpget":   cmdHTTPGet,
	"clean":     cmdClean,
	"wait-file": cmdWaitFile,
	"gone":      cmdGone,
	"runs":      cmdRuns,
	"interrupt": cmdInterrupt,
	"ended":     cmdEnded,
	"ahead":     cmdAhead,
	"ask":       cmdAsk,
	"swap":      cmdSwap,
	"alternate": cmdAlternate,
	"attest":    cmdAttest,
	"bomb":      cmdBomb,
	"released":  cmdReleased,
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

// cmdExits runs a program and wants an exit code: exits CODE PROGRAM ARG...
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
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

// cmdDropin puts a hostile module among the project's providers, and has the
// lock file trust it, as somebody would who did not look:
// dropin NAME [AS]
func cmdDropin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: dropin NAME [AS]")
	}
	id := args[len(args)-1]
	trustBytes(ts, id, placeGuest(ts, args[0], id))
}

// cmdUntrusted is dropin without the trust: untrusted NAME [AS]
func cmdUntrusted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: untrusted NAME [AS]")
	}
	placeGuest(ts, args[0], args[len(args)-1])
}

// cmdTrusted has the lock file trust what lies among the project's providers,
// whatever it is: trusted ID
func cmdTrusted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: trusted ID")
	}
	data, err := os.ReadFile(ts.MkAbs(".stagecraft/providers/" + args[0] + ".wasm"))
	ts.Check(err)
	trustBytes(ts, args[0], data)
}

// cmdReleased has the go command of a script find our modules as if they were
// released: released
func cmdReleased(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: released")
	}
	env, err := providertest.ModuleProxy(ts.MkAbs("."))
	ts.Check(err)
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		ts.Setenv(name, value)
	}
}

// cmdPlayer puts the provider player among the project's, and has it trusted.
// It makes the calls that stand in its configuration.
func cmdPlayer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: player")
	}
	file, err := built.builder.Module("providers/providertest/player")
	ts.Check(err)
	data, err := os.ReadFile(file)
	ts.Check(err)
	place(ts, "player", data)
	trustBytes(ts, "player", data)
}

func placeGuest(ts *testscript.TestScript, guest, id string) []byte {
	data, err := os.ReadFile(filepath.Join(ts.Getenv("GUESTS"), guest+".wasm"))
	ts.Check(err)
	place(ts, id, data)
	return data
}

func place(ts *testscript.TestScript, id string, data []byte) {
	dir := ts.MkAbs(".stagecraft/providers")
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, id+".wasm"), data, 0o644))
}

// trustBytes writes what "provider trust" would, without loading the module.
func trustBytes(ts *testscript.TestScript, id string, module []byte) {
	path := ts.MkAbs(lock.FileName)
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		ts.Check(err)
	}
	f := new(lock.File)
	if err == nil {
		f, err = lock.Parse(path, data)
		ts.Check(err)
	}
	sum := sha256.Sum256(module)
	f.Set(lock.Entry{ID: id, SHA256: hex.EncodeToString(sum[:]), ABI: abi.Version, Source: "project", Path: ".stagecraft/providers/" + id + ".wasm"})
	ts.Check(os.WriteFile(path, f.Marshal(), 0o644))
}

// cmdHTTPGet waits until a server answers, and prints its answer:
// httpget URL
func cmdHTTPGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: httpget URL")
	}
	ctx, cancel := whileRunning(ts)
	defer cancel()
	body, err := Get(ctx, args[0])
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), body)
}

// Get asks again until a server is there, and gives its answer.
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

var errEnded = errors.New("what the script runs in the background has ended")

// whileRunning is done once nothing of what a script has started in the background
// runs any more, so that nobody waits for what it was to do.
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

// cmdClean wants no panic trace, and no file that was half written: in what
// was printed last, and in the work directory.
func cmdClean(ts *testscript.TestScript, neg bool, args []string) {
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

// cmdWaitFile waits until a file is there, and has a text: wait-file FILE [TEXT]
func cmdWaitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: wait-file FILE [TEXT]")
	}
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
		// It may have come between the look and the end.
		last = ctx.Err() != nil
	}
	ts.Fatalf("%s did not appear", strings.Join(args, " with "))
}

// cmdGone wants the processes whose IDs a file lists to be no more: gone FILE
func cmdGone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone FILE")
	}
	for _, pid := range strings.Fields(ts.ReadFile(args[0])) {
		if state, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil {
			ts.Fatalf("process %s is left: %s", pid, state)
		}
	}
}

// cmdRuns wants the process whose ID a file has to be there: runs FILE
func cmdRuns(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: runs FILE")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	process, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(process.Signal(syscall.Signal(0)))
}

// cmdAtMost bounds the size of what was printed last: atmost BYTES STREAM
func cmdAtMost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: atmost BYTES STREAM")
	}
	limit, err := strconv.Atoi(args[0])
	ts.Check(err)
	if n := len(ts.ReadFile(args[1])); n > limit {
		ts.Fatalf("%s has %d bytes, at most %d are wanted", args[1], n, limit)
	}
}
