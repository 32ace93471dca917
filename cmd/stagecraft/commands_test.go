package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// engineEnv names the Docker engine for tests.
const engineEnv = "STAGECRAFT_TEST_DOCKER_HOST"

var commands = map[string]func(*testscript.TestScript, bool, []string){
	"atmost":    cmdAtMost,
	"exits":     cmdExits,
	"dropin":    cmdDropin,
	"httpget":   cmdHTTPGet,
	"clean":     cmdClean,
	"wait-file": cmdWaitFile,
	"gone":      cmdGone,
}

func condition(name string) (bool, error) {
	switch name {
	case "engine":
		host, fatal, err := providertest.Engine("a script of cmd/stagecraft")
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

// cmdDropin puts a hostile module among the project's providers:
// dropin NAME [AS]
func cmdDropin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: dropin NAME [AS]")
	}
	data, err := os.ReadFile(filepath.Join(ts.Getenv("GUESTS"), args[0]+".wasm"))
	ts.Check(err)
	dir := ts.MkAbs(".stagecraft/providers")
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, args[len(args)-1]+".wasm"), data, 0o644))
}

// cmdHTTPGet waits until a server answers, and prints its answer:
// httpget URL
func cmdHTTPGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: httpget URL")
	}
	body, err := get(args[0], time.Now().Add(time.Minute))
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), body)
}

// get asks again until a server is there; each try is bounded by the
// connection's own refusal.
func get(url string, end time.Time) (string, error) {
	client := &http.Client{Timeout: 5 * time.Second}
	for {
		resp, err := client.Get(url)
		if err == nil {
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			return string(body), err
		}
		if time.Now().After(end) {
			return "", err
		}
		<-time.After(50 * time.Millisecond)
	}
}

// cmdClean wants no panic trace, and no file that was half written: in what
// was printed last, and in the work folder.
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
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && (len(args) == 1 || strings.Contains(string(data), args[1])) {
			return
		}
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

func goEnv(name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
