package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// fakes are programs that the test binary is when it has their name.
var fakes map[string]func(c *frame.Conn)

func TestMain(m *testing.M) {
	if fake := fakes[os.Args[0]]; fake != nil {
		fake(frame.NewConn(os.Stdin, os.Stdout))
		return
	}
	if os.Args[0] == "host" {
		fakeMain(os.Args[1], os.Args[2], os.Args[3])
		return
	}
	os.Exit(m.Run())
}

// short are limits under which a test of a limit is over soon.
var short = Limits{CPU: 200 * time.Millisecond, Calls: 50, Load: 200 * time.Millisecond}

// fakeHost answers each call, if ended is not nil after it has been closed.
type fakeHost struct{ ended <-chan struct{} }

func (h fakeHost) Call(context.Context, string, []byte) []byte {
	if h.ended != nil {
		<-h.ended
	}
	return []byte(`{"ok":{}}`)
}

// fakeMain opens and calls a module where the kernel refuses a system call, prints
// warnings and the result, and then compiles the module.
func fakeMain(refused, module, cache string) {
	switch refused {
	case "landlock":
		refuse(unix.SYS_LANDLOCK_CREATE_RULESET, unix.ENOSYS)
	case "seccomp":
		refuse(unix.SYS_SECCOMP, unix.ENOSYS)
	case "all of it":
		refuse(unix.SYS_LANDLOCK_CREATE_RULESET, unix.ENOSYS)
		refuse(unix.SYS_MEMFD_CREATE, unix.ENOSYS)
		refuse(unix.SYS_SECCOMP, unix.ENOSYS)
	case "sockets":
		refuse(unix.SYS_SOCKETPAIR, unix.EMFILE)
	case "processes":
		refuseProcesses()
	}
	options := Options{
		Helper:     TestHelper,
		Operations: abi.Operations(), Host: fakeHost{}, Limits: Limits{CPU: fakeCPU(refused)}, CacheDir: cache,
		Warn: func(err error) { fmt.Println("warning:", err) },
	}
	wasm, err := os.ReadFile(module)
	if err == nil {
		var m *Module
		m, err = Open(context.Background(), wasm, options)
		if err == nil {
			fmt.Println("open")
			_, err = m.Call(context.Background(), abi.ExportDev, nil)
		}
	}
	fmt.Println("result:", err)
	if err == nil && cache != "" {
		fmt.Println("compiled:", Compile(context.Background(), wasm, options))
	}
}

// fakeCPU is the limit of processor time. It is short for a host that is stopped.
func fakeCPU(refused string) time.Duration {
	if refused == "time" {
		return time.Second
	}
	return time.Hour
}

// refuse has a system call fail in this process and those that it starts.
func refuse(number uint32, errno unix.Errno) {
	install([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	})
}

// refuseProcesses has this process start threads and no processes, as at RLIMIT_NPROC.
func refuseProcesses() {
	const flags = 16 // the offset of the first argument
	install([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_CLONE, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.CLONE_THREAD, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EAGAIN)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	})
}

func install(program []unix.SockFilter) {
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	_, _, failed := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&filter)))
	if err != nil || failed != 0 {
		fmt.Println("no filter:", err, failed)
		os.Exit(1)
	}
}

// TestPoorKernels has kernels without what bounds a module's process, and without
// room for it.
func TestPoorKernels(t *testing.T) {
	t.Parallel()
	for refused, tt := range map[string]struct {
		want string
		kept bool
	}{
		"":         {"open\nresult: <nil>\ncompiled: <nil>\n", true},
		"landlock": {"warning: the cache of compiled providers could not be used: this system cannot keep the helper away from other files (no Landlock)\nopen\nresult: <nil>\ncompiled: this system cannot keep the helper away from other files (no Landlock)\n", false},
		"seccomp":  {"warning: the process of a provider's module is not bounded by this system (no seccomp)\nopen\nresult: <nil>\ncompiled: <nil>\n", true},
		"all of it": {
			"warning: the cache of compiled providers could not be used: this system cannot keep the helper away from other files (no Landlock)\n" +
				"warning: the process of a provider's module is not bounded by this system (no seccomp)\n" +
				"open\nresult: <nil>\ncompiled: this system cannot keep the helper away from other files (no Landlock)\n", false,
		},
		"processes": {"no process\n", false},
		"sockets":   {"result: starting the process of a provider's module: socketpair: too many open files\n", false},
	} {
		cache := filepath.Join(t.TempDir(), "cache")
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Args = []string{"host", refused, "testdata/works.wasm", cache}
		out, err := cmd.CombinedOutput()
		// The attempt to start a process ends in several errors of the system.
		if refused == "processes" && strings.Count(string(out), "\n") == 1 && strings.Contains(string(out), "resource temporarily unavailable") {
			out = []byte(tt.want)
		}
		if err != nil || string(out) != tt.want {
			t.Errorf("%s: %v, got %q, want %q", refused, err, out, tt.want)
		}
		kept, err := filepath.Glob(filepath.Join(cache, "*", "*"))
		if err != nil || len(kept) > 0 != tt.kept {
			t.Errorf("%s: %q is kept, %v", refused, kept, err)
		}
	}
}

// TestKilledHost expects a helper whose module computes without end to end with its host.
func TestKilledHost(t *testing.T) {
	t.Parallel()
	cmd, helper := startLoop(t, "")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	waitForEnd(t, helper)
}

// TestStoppedHost expects the kernel to end a helper that its stopped host does not.
func TestStoppedHost(t *testing.T) {
	t.Parallel()
	cmd, helper := startLoop(t, "time")
	if err := cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	waitForEnd(t, helper)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// startLoop starts a host with a module that computes without end, and returns the PID of
// the helper.
func startLoop(t *testing.T, refused string) (host *exec.Cmd, helper int) {
	t.Helper()
	const module = "testdata/loop-dev.wasm"
	wasm, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	// Compiled code never asks the host for anything. The interpreter would do so after a
	// second, and a host that has ended or stopped gives no answer.
	cache := filepath.Join(t.TempDir(), "cache")
	if err := Compile(t.Context(), wasm, Options{Helper: TestHelper, Operations: abi.Operations(), CacheDir: cache}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Args = []string{"host", refused, module, cache}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("%q, %v", line, err)
	}
	helpers := childrenOf(t, cmd.Process.Pid)
	if len(helpers) != 1 {
		t.Fatalf("the host has %d children", len(helpers))
	}
	waitForLoop(t, helpers[0])
	return cmd, helpers[0]
}

// waitForLoop waits until a helper computes: only a call takes that much time.
func waitForLoop(t *testing.T, helper int) {
	t.Helper()
	s := system{helper}
	begin, _ := s.cpuTime()
	for end := time.Now().Add(time.Minute); ; <-time.After(time.Millisecond) {
		if used, _ := s.cpuTime(); used-begin > 50*time.Millisecond {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the helper does not compute")
		}
	}
}

func waitForEnd(t *testing.T, helper int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); isAlive(helper); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			_ = unix.Kill(helper, unix.SIGKILL)
			t.Fatal("the helper has not ended")
		}
	}
}

func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		t.Skip("this kernel does not list children")
	}
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// isAlive reports whether a process runs; one that has ended may not have been
// waited for.
func isAlive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !bytes.Contains(status, []byte("State:\tZ"))
}
