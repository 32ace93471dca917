package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

// helper is a process in which a module runs.
type helper struct {
	pid, nice int
	used      time.Duration
}

// TestInterruptEachPhase presses Ctrl-C while a provider is started, loaded,
// instantiated, called and compiled: the run ends with 130, the terminal is as before,
// and no process is left. A provider that computes has 5 s to return.
func TestInterruptEachPhase(t *testing.T) {
	const busy = 300 * time.Millisecond
	started := func(helpers []helper) bool { return len(helpers) > 0 }
	computes := func(helpers []helper) bool { return len(helpers) > 0 && helpers[0].used > busy }
	for name, tt := range map[string]struct {
		id      string
		module  []byte // nil for a built-in provider
		reached func([]helper) bool
		shown   string // before the phase
	}{
		"starting":      {"generic", nil, started, ""},
		"loading":       {"mine", provider("\x41\x00\x0b", strings.Repeat("\x41\x00\x1a", 12<<20)+"\x41\x00\x0b"), computes, ""},
		"instantiating": {"loop-start", guest(t, "loop-start"), computes, ""},
		"calling":       {"loop-dev", guest(t, "loop-dev"), computes, ""},
		"compiling":     {"mine", provider("\x03\x40\x0c\x00\x0b\x41\x00\x0b", nestedLoops), started, "compiling provider mine, once"},
		"compiling for the next run": {"generic", nil, func(helpers []helper) bool {
			return len(helpers) == 2 && helpers[0].nice+helpers[1].nice == 19
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := `backend: {provider: generic, providers: {generic: {dev: {command: [sleep, "1000"]}}}}`
			if tt.module != nil {
				config = fmt.Sprintf(`backend: {provider: %s, providers: {%[1]s: {}}}`, tt.id)
				place(t, dir, tt.id, tt.module)
			}
			clitest.WriteFile(t, filepath.Join(dir, "stagecraft.yml"), config, 0o600)
			cmd := exec.CommandContext(t.Context(), clitest.Binary(), "dev")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "CI=")
			terminal, err := pty.Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			before := termios(t, terminal)
			printed := readUntil(terminal, tt.shown)
			var processes []helper
			for end := time.Now().Add(clitest.Hang); !tt.reached(processes); time.Sleep(time.Millisecond) {
				if processes = helpersOf(cmd.Process.Pid); time.Now().After(end) {
					t.Fatalf("the phase was not reached, the processes are %v", processes)
				}
			}
			processes = helpersOf(cmd.Process.Pid)
			if _, err := io.WriteString(terminal, "\x03"); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(terminal)
			err = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 130 || bytes.Contains(rest, []byte("goroutine")) {
				t.Errorf("ended with %d, %v; printed %s%s", code, err, printed, rest)
			}
			if after := termios(t, terminal); after != before {
				t.Errorf("the terminal was %+v and is %+v", before, after)
			}
			for _, p := range processes {
				if _, err := os.Stat("/proc/" + strconv.Itoa(p.pid)); err == nil {
					t.Errorf("process %d is left", p.pid)
				}
			}
		})
	}
}

// nestedLoops take a minute to compile.
var nestedLoops = strings.Repeat("\x03\x40", 20_000) + strings.Repeat("\x0b", 20_000) + "\x41\x00\x0b"

// provider is a module with functions that give a number. The first one is all of its
// exports.
func provider(functions ...string) []byte {
	sized := func(s string) string { return string(binary.AppendUvarint(nil, uint64(len(s)))) + s }
	counted := func(n int, s string) string { return sized(string(rune(n)) + s) }
	var exports, code strings.Builder
	for _, name := range abi.Exports() {
		exports.WriteString(sized(name) + "\x00\x00")
	}
	for _, f := range functions {
		code.WriteString(sized("\x00" + f))
	}
	return []byte("\x00asm\x01\x00\x00\x00" +
		"\x01" + counted(1, "\x60\x00\x01\x7f") +
		"\x03" + counted(len(functions), strings.Repeat("\x00", len(functions))) +
		"\x07" + counted(len(abi.Exports()), exports.String()) +
		"\x0a" + counted(len(functions), code.String()))
}

func guest(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(clitest.Root(), "runtime", "sandbox", "testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// place adds a trusted provider to a project.
func place(t *testing.T, dir, id string, module []byte) {
	t.Helper()
	path := ".stagecraft/providers/" + id + ".wasm"
	if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o700); err != nil {
		t.Fatal(err)
	}
	clitest.WriteFile(t, filepath.Join(dir, path), string(module), 0o600)
	sum := sha256.Sum256(module)
	trusted := new(lock.File)
	trusted.Set(lock.Entry{ID: id, SHA256: hex.EncodeToString(sum[:]), ABI: abi.Version, Source: "project", Path: path})
	clitest.WriteFile(t, filepath.Join(dir, lock.FileName), string(trusted.Marshal()), 0o600)
}

func termios(t *testing.T, terminal *os.File) unix.Termios {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *settings
}

// helpersOf are the processes that a process has started for modules.
func helpersOf(pid int) []helper {
	var found []helper
	lists, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for child := range strings.FieldsSeq(string(text)) {
			line, _ := os.ReadFile("/proc/" + child + "/cmdline")
			stat, _ := os.ReadFile("/proc/" + child + "/stat")
			fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
			if !bytes.HasPrefix(line, []byte("stagecraft-sandbox\x00")) || len(fields) < 17 {
				continue
			}
			h := helper{}
			h.pid, _ = strconv.Atoi(child)
			h.nice, _ = strconv.Atoi(fields[16])
			for _, ticks := range fields[11:13] {
				n, _ := strconv.Atoi(ticks)
				h.used += time.Duration(n) * 10 * time.Millisecond
			}
			found = append(found, h)
		}
	}
	return found
}
