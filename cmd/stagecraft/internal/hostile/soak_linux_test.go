package hostile_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

var soak = flag.Int("soak", 24, "how many runs TestSoak makes")

// soaked are the runs to end. They do not end by themselves, or only after some time.
var soaked = map[string]struct{ config, policy string }{
	"tree": {config: `backend: {provider: generic, providers: {generic: {dev: {command: [sh, -c, "sleep 1000 & setsid sh -c 'sleep 1000 & setsid sleep 1000 & exit' & (trap '' HUP; sleep 1000) & wait"]}}}}`},
	"confined": {
		config: `backend: {provider: generic, providers: {generic: {dev: {command: [sh, -c, "mktemp; setsid sleep 1000 & sleep 1000"]}}}}`,
		policy: "version: 1\nproviders: {generic: {exec: ['sh **'], files: {read: ['**']}, net: {}, env: {pass: [SOAK]}}}",
	},
	"several": {
		config: `backend: {provider: player, providers: {player: {dev: [{start: {argv: [sh, -c, "sleep 1000 & wait"]}}, {start: {argv: [setsid, -w, sleep, "1000"]}}, {exec: {argv: [sh, -c, "for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done; sleep 0.2; exit 0"], capture: true}}, {wait: {}}, {wait: {}}]}}}`,
		policy: "version: 1\nproviders: {player: {exec: ['sh **', 'setsid **'], env: {pass: [SOAK]}}}",
	},
	"quick": {config: `backend: {provider: generic, providers: {generic: {dev: {command: ["true"]}}}}`},
}

// TestSoak ends runs at random moments, in every way, and requires that nothing of them
// remains. "make soak" makes a thousand.
func TestSoak(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	names := make([]string, 0, len(soaked))
	spaces := map[string]*clitest.Workspace{}
	temp := t.TempDir()
	for name, of := range soaked {
		w := clitest.NewWorkspace(t, "")
		w.Write(t, "stagecraft.yml", []byte(of.config))
		if name == "several" {
			w.Drop(t)
		}
		if of.policy != "" {
			w.Write(t, "stagecraft.policy.yml", []byte(of.policy))
		}
		names, spaces[name] = append(names, name), &w
	}
	slices.Sort(names)
	var ended [4]int
	var peak int64
	for i := range *soak {
		name := names[r.IntN(len(names))]
		word := fmt.Sprintf("SOAK=%d-%d", os.Getpid(), i)
		how := r.IntN(len(ended))
		ended[how]++
		peak = max(peak, soakOne(t, spaces[name], word, temp, how, time.Duration(r.IntN(400))*time.Millisecond))
		if left := leftOf(word); len(left) > 0 {
			t.Fatalf("run %d, %s, ended by %d: these are left: %q", i, name, how, left)
		}
	}
	t.Logf("ended by interrupt, terminate, kill, kill of the group: %v; peak memory %d MB", ended, peak>>20)
	for _, name := range names {
		// The next run removes what a killed one left.
		w := spaces[name]
		w.Write(t, "stagecraft.yml", []byte(soaked["quick"].config))
		w.Write(t, "stagecraft.policy.yml", []byte("version: 1\nproviders: {generic: {exec: ['true'], files: {}}}"))
		w.Environ = []string{"TMPDIR=" + temp}
		w.Want(t, 0, "dev", "--audit", "audit.jsonl")
		wantWholeBut(t, w)
		for _, dir := range []string{w.Dir, w.Home, temp, clitest.Cache()} {
			wantNoHalves(t, dir)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// soakOne starts a run, ends it after a while, and returns its peak memory in bytes.
func soakOne(t *testing.T, w *clitest.Workspace, word, temp string, how int, after time.Duration) int64 {
	t.Helper()
	var out bytes.Buffer
	cmd := w.Command(t, "dev", "--audit", "audit.jsonl")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(cmd.Env, word, "TMPDIR="+temp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after) // a random moment; the result does not depend on it
	pid := cmd.Process.Pid
	for range 2 { // the second signal ends what ignores the first
		switch how {
		case 0:
			_ = syscall.Kill(pid, syscall.SIGINT)
		case 1:
			_ = syscall.Kill(pid, syscall.SIGTERM)
		case 2:
			_ = syscall.Kill(pid, syscall.SIGKILL)
		case 3:
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
	err := cmd.Wait()
	if strings.Contains(out.String(), "goroutine ") || cmd.ProcessState.ExitCode() == 2 {
		t.Errorf("%v, it printed\n%s", err, out.String())
	}
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// leftOf waits until no process has a word in its environment and no guard is orphaned,
// which takes a moment after a kill, and returns the command lines of those that stay.
func leftOf(word string) (left []string) {
	for end := time.Now().Add(clitest.Hang); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		left = nil
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			line, _ := os.ReadFile(dir + "/cmdline")
			env, _ := os.ReadFile(dir + "/environ")
			owner, isGuard := bytes.CutPrefix(line, []byte("stagecraft-guard\x00"))
			orphan := isGuard && strconv.Itoa(parentOf(dir))+"\x00" != string(owner)
			if bytes.Contains(env, []byte(word+"\x00")) || orphan {
				left = append(left, string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
			}
		}
		if len(left) == 0 {
			return nil
		}
	}
	return left
}

func parentOf(dir string) int {
	stat, _ := os.ReadFile(dir + "/stat")
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	pid, _ := strconv.Atoi(fields[1])
	return pid
}

// wantWholeBut requires an audit log to be whole, except for the ends of killed runs.
func wantWholeBut(t *testing.T, w *clitest.Workspace) {
	t.Helper()
	stdout, stderr, _ := w.Run(t, "audit", "verify", "audit.jsonl")
	for line := range strings.Lines(stdout + stderr) {
		killed := strings.Contains(line, "has its last record here and no end; it was killed") ||
			strings.Contains(line, "begins here and has no end")
		if strings.HasPrefix(line, "line ") && !killed {
			t.Errorf("audit verify: %s", line)
		}
	}
}

// wantNoHalves requires that no incomplete file remains.
func wantNoHalves(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(path), ".stagecraft-") {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
