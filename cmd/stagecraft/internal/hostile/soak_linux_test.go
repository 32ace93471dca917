package hostile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

var soak = flag.Int("soak", 24, "how many runs TestSoak makes")

// soaked are the runs to end. They do not end by themselves, or only after some time.
var soaked = map[string]struct{ config, policy string }{
	"tree": {config: `backend: {provider: generic, providers: {generic: {dev: {command: [sh, -c, "sleep 1000 & setsid sh -c 'sleep 1000 & setsid sleep 1000 & exit' & (trap '' HUP; sleep 1000) & wait"]}}}}`},
	"confined": {
		config: `backend: {provider: generic, providers: {generic: {dev: {command: [sh, -c, "mktemp; setsid sleep 1000 & sleep 1000"]}}}}`,
		policy: "version: 1\nproviders: {generic: {exec: ['sh **'], files: {read: ['**']}, net: {}}}",
	},
	"several": {
		config: `backend: {provider: player, providers: {player: {dev: [{start: {argv: [sh, -c, "sleep 1000 & wait"]}}, {start: {argv: [setsid, -w, sleep, "1000"]}}, {exec: {argv: [sh, -c, "for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done; sleep 0.2; exit 0"], capture: true}}, {wait: {}}, {wait: {}}]}}}`,
		policy: "version: 1\nproviders: {player: {exec: ['sh **', 'setsid **']}}",
	},
	"quick": {config: `backend: {provider: generic, providers: {generic: {dev: {command: ["true"]}}}}`},
}

// moments are how a run gets to what its module does, and the command line for that.
// Each is ended at the latest after a time in which most such runs get there.
var moments = []struct {
	name   string
	args   []string
	cold   bool
	latest time.Duration
}{
	{"replayed", []string{"dev"}, false, 400 * time.Millisecond},
	{"loaded", []string{"dev", "--no-replay"}, false, 800 * time.Millisecond},
	{"audited", []string{"dev", "--audit", "audit.jsonl"}, false, 800 * time.Millisecond},
	{"cold", []string{"dev", "--no-replay"}, true, 3 * time.Second},
}

// TestSoak ends runs at random moments, in every way, and requires that nothing of them
// remains. "make soak" makes a thousand.
func TestSoak(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := &soaking{rand: rand.New(rand.NewPCG(seed, 0)), temp: t.TempDir(), cold: t.TempDir(), spaces: map[string]clitest.Workspace{}}
	for name, of := range soaked {
		w := clitest.NewWorkspace(t, "")
		w.Write(t, "stagecraft.yml", []byte(of.config))
		if name == "several" {
			w.Drop(t)
		}
		if of.policy != "" {
			w.Write(t, "stagecraft.policy.yml", []byte(of.policy))
		}
		s.names, s.spaces[name] = append(s.names, name), w
	}
	slices.Sort(s.names)
	// What a run leaves becomes a child of this process, whatever it did.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	for i := range *soak {
		s.one(t)
		if i%100 == 99 {
			t.Logf("%d runs", i+1)
		}
	}
	t.Logf("ended by interrupt, terminate, kill, kill of the group: %v; %v; peak memory of the largest process %d MB", s.ended, s.begun, s.peak>>20)
	for _, cache := range []string{clitest.Cache(), s.cold} {
		s.compile(t, cache)
	}
	for _, w := range s.spaces {
		s.after(t, w)
	}
	if left, _ := filepath.Glob(filepath.Join(s.temp, "*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// soaking is a series of runs that are ended.
type soaking struct {
	rand   *rand.Rand
	names  []string
	spaces map[string]clitest.Workspace
	temp   string
	// cold is a cache that is often emptied: a run begins with nothing, or with what an
	// ended one has left.
	cold  string
	ended [4]int
	begun [4]int
	peak  int64 // in bytes
}

// one starts a run, ends it after a while, and waits for all of it to end.
func (s *soaking) one(t *testing.T) {
	t.Helper()
	name, how, moment := s.names[s.rand.IntN(len(s.names))], s.rand.IntN(len(s.ended)), s.rand.IntN(len(moments))
	s.ended[how]++
	s.begun[moment]++
	of := moments[moment]
	var out bytes.Buffer
	cmd := s.spaces[name].Command(t, of.args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(cmd.Env, "TMPDIR="+s.temp)
	if of.cold {
		cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+s.cold)
		if s.rand.IntN(2) == 0 {
			if err := os.RemoveAll(filepath.Join(s.cold, "stagecraft")); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(s.rand.Int64N(int64(of.latest)))) // a random moment; the result does not depend on it
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
		t.Errorf("%s, %s, ended by %d: %v, it printed\n%s", name, of.name, how, err, out.String())
	}
	s.peak = max(s.peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss<<10)
	if left := orphans(); len(left) > 0 {
		t.Fatalf("%s, %s, ended by %d: these are left: %q", name, of.name, how, left)
	}
}

// orphans waits until no process is left of runs that have ended, which takes a moment
// after a kill, and returns the command lines of those that stay. It may be called only
// while no other child of this process runs.
func orphans() (left []string) {
	for end := time.Now().Add(clitest.Hang); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		for pid := 1; pid > 0; {
			pid, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		}
		left = nil
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			if parentOf(dir) == os.Getpid() {
				line, _ := os.ReadFile(dir + "/cmdline")
				left = append(left, string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
			}
		}
		if len(left) == 0 {
			return nil
		}
	}
	return left
}

// compile has all modules compiled, and requires that what killed runs have left in a
// cache is removed then.
func (s *soaking) compile(t *testing.T, cache string) {
	t.Helper()
	until := clitest.UntilCompiled(cache)
	s.spaces["several"].Play(t, []map[string]any{{"exec": map[string]any{"argv": until}}})
	command, err := json.Marshal(until)
	if err != nil {
		t.Fatal(err)
	}
	s.spaces["tree"].Write(t, "stagecraft.yml", []byte("backend: {provider: generic, providers: {generic: {dev: {command: "+string(command)+"}}}}"))
	var runs [2]*exec.Cmd
	for i, name := range []string{"several", "tree"} {
		runs[i] = s.spaces[name].Command(t, "dev", "--no-replay")
		runs[i].Env = append(runs[i].Env, "TMPDIR="+s.temp, "XDG_CACHE_HOME="+cache)
		if err := runs[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range runs {
		if err := run.Wait(); err != nil {
			t.Errorf("a run until all is compiled: %v", err)
		}
	}
	wantNoHalves(t, cache)
}

// after requires that a workspace is usable.
func (s *soaking) after(t *testing.T, w clitest.Workspace) {
	t.Helper()
	// The next run removes what a killed one left.
	w.Write(t, "stagecraft.yml", []byte(soaked["quick"].config))
	w.Write(t, "stagecraft.policy.yml", []byte("version: 1\nproviders: {generic: {exec: ['true'], files: {}}}"))
	for _, cache := range []string{clitest.Cache(), s.cold} {
		w.Environ = []string{"TMPDIR=" + s.temp, "XDG_CACHE_HOME=" + cache}
		w.Want(t, 0, "dev", "--audit", "audit.jsonl")
		w.Want(t, 0, "dev")
		w.Want(t, 0, "dev")
	}
	wantWholeBut(t, w)
	for _, dir := range []string{w.Dir, w.Home, s.temp, clitest.Cache(), s.cold} {
		wantNoHalves(t, dir)
	}
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
func wantWholeBut(t *testing.T, w clitest.Workspace) {
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

// wantNoHalves requires that nothing remains of what is written before it is put in its
// place: files of ours and of wazero, and directories for modules that are compiled again
// and for copies of the helper.
func wantNoHalves(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		name := filepath.Base(path)
		if strings.HasPrefix(name, ".stagecraft-") || strings.HasPrefix(name, "anew-") || strings.HasPrefix(name, "helper-") || strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
