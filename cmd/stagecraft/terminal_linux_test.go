package main_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"

	"github.com/creack/pty"
)

// TestTerminal: on a real terminal the command of dev has its size, keys and Ctrl-C, and
// its exit code becomes stagecraft's.
func TestTerminal(t *testing.T) {
	dir := t.TempDir()
	config := `backend: {provider: generic, providers: {generic: {dev: {command: [sh, dev.sh]}}}}`
	script := `trap 'echo interrupted; exit 5' INT
test -t 0 && test -t 1 && test -t 2 && echo "terminal of $(stty size)"
read -r line
echo "read $line"
while :; do sleep 0.05; done
`
	for name, text := range map[string]string{"stagecraft.yml": config, "dev.sh": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), clitest.Binary(), "dev")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	cmd.WaitDelay = clitest.Hang
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 31, Cols: 77})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	lines := bufio.NewReader(terminal)
	expect(t, lines, "terminal of 31 77")
	if _, err := io.WriteString(terminal, "hello\n"); err != nil {
		t.Fatal(err)
	}
	expect(t, lines, "read hello")
	if _, err := io.WriteString(terminal, "\x03"); err != nil {
		t.Fatal(err)
	}
	expect(t, lines, "interrupted")
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 5 {
		t.Errorf("exit code %d, %v, want 5", code, err)
	}
	rest, _ := io.ReadAll(lines)
	if strings.Contains(string(rest), "error") {
		t.Errorf("printed %q after Ctrl-C", rest)
	}
}

// expect reads until a line contains a text; the terminal's end is a failure.
func expect(t *testing.T, r *bufio.Reader, text string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("%v while waiting for %q", err, text)
		}
	}
}

// TestTerminalHelp: help is wrapped at the terminal's width.
func TestTerminalHelp(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), clitest.Binary(), "dev", "--help")
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "COLUMNS=") })
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 31, Cols: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	longest := 0
	for lines := bufio.NewReader(terminal); ; {
		line, err := lines.ReadString('\n')
		longest = max(longest, len(strings.TrimRight(line, "\r\n")))
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil || longest > 60 || longest < 40 {
		t.Errorf("%v, and the longest line has %d characters, want at most 60", err, longest)
	}
}

// TestTerminalTrust: on a real terminal the user is asked once whether to load a provider
// and then whether to trust it.
func TestTerminalTrust(t *testing.T) {
	for name, tt := range map[string]struct {
		typed  []string
		args   []string
		code   int
		locked bool
		asks   bool
		ci     string
	}{
		"yes":        {[]string{"y\n", "y\n"}, nil, 0, true, true, ""},
		"not loaded": {[]string{"n\n"}, nil, 3, false, true, ""},
		"no":         {[]string{"y\n", "n\n"}, nil, 3, false, true, ""},
		"nothing":    {[]string{"y\n", "\n"}, nil, 3, false, true, ""},
		"the end":    {[]string{"y\n", "\x04"}, nil, 3, false, true, ""},
		"interrupt":  {[]string{"y\n", "\x03"}, nil, 130, false, true, ""},
		"locked":     {nil, []string{"--locked"}, 3, false, false, ""},
		"in CI":      {nil, nil, 3, false, false, "CI=true"},
		"not in CI":  {[]string{"y\n", "y\n"}, []string{"--no-locked"}, 0, true, true, "CI=true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := clitest.NewWorkspace(t, "")
			w.Environ = []string{tt.ci}
			w.Write(t, "stagecraft.yml", []byte("backend: {provider: asks, providers: {asks: {}}}"))
			module, err := os.ReadFile(filepath.Join(clitest.Root(), "runtime/sandbox/testdata/asks.wasm"))
			if err != nil {
				t.Fatal(err)
			}
			w.Write(t, ".stagecraft/providers/asks.wasm", module)
			code, output := onTerminal(t, w, append([]string{"dev"}, tt.args...), "[y/N]", tt.typed...)
			if code != tt.code || strings.Contains(output, "[y/N]") != tt.asks {
				t.Errorf("exit code %d, want %d:\n%s", code, tt.code, output)
			}
			if _, err := os.Stat(filepath.Join(w.Dir, "stagecraft.lock")); (err == nil) != tt.locked {
				t.Errorf("the lock file: %v", err)
			}
			if strings.Contains(output, "during this run") {
				t.Errorf("the lock file that the run wrote is reported as a change:\n%s", output)
			}
			if !tt.locked {
				return
			}
			// The second run does not ask.
			if code, output := onTerminal(t, w, []string{"dev"}, "", ""); code != 0 || strings.Contains(output, "[y/N]") {
				t.Errorf("exit code %d the second time:\n%s", code, output)
			}
		})
	}
}

// TestTerminalColour: the names of two programs are in colour if both streams are
// terminals and colour is wanted.
func TestTerminalColour(t *testing.T) {
	program := func(name, script string) map[string]any {
		return map[string]any{"start": map[string]any{"argv": []string{"sh", "-c", script}, "name": name, "watch": []string{"from " + name}}}
	}
	// Each prints while the other runs, and ends once both have printed.
	const thenEnd = "; until test -e printed; do sleep 0.01; done"
	calls := []map[string]any{
		program("one", "until test -e go; do sleep 0.01; done; echo from one >&2"+thenEnd),
		program("two", "echo from two; touch go"+thenEnd),
		{"wait": map[string]any{}}, {"wait": map[string]any{}},
		{"exec": map[string]any{"argv": []string{"touch", "printed"}}},
		{"wait": map[string]any{}}, {"wait": map[string]any{}},
	}
	plain := []string{"one | from one\r\n", "two | from two\r\n"}
	for name, tt := range map[string]struct {
		environ  string
		redirect bool // standard output to a file
		want     []string
	}{
		"terminal": {"TERM=xterm", false, []string{"\x1b[33mone | \x1b[0mfrom one\r\n", "\x1b[35mtwo | \x1b[0mfrom two\r\n"}},
		"no color": {"NO_COLOR=1", false, plain},
		"dumb":     {"TERM=dumb", false, plain},
		"file":     {"TERM=xterm", true, []string{"one | from one\r\n", "two | from two\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := clitest.NewWorkspace(t, "")
			w.Environ = []string{"NO_COLOR=", tt.environ}
			w.Play(t, calls)
			w.Drop(t)
			w.Write(t, "stagecraft.policy.yml", []byte("version: 1\nproviders: {player: {exec: ['sh **', touch printed]}}"))
			out, err := os.Create(filepath.Join(t.TempDir(), "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			if tt.redirect {
				w.Stdout = out
			}
			code, output := onTerminal(t, w, []string{"dev"}, "", "")
			lines := strings.SplitAfter(output+clitest.ReadFile(t, out.Name()), "\n")
			for _, line := range tt.want {
				if code != 0 || !slices.Contains(lines, line) {
					t.Errorf("exit code %d, no line %q in %q", code, line, lines)
				}
			}
		})
	}
}

// onTerminal runs stagecraft on a terminal, types a text at each prompt, and returns the
// exit code and all output.
func onTerminal(t *testing.T, w clitest.Workspace, args []string, prompt string, typed ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), clitest.Binary(), args...)
	cmd.Dir, cmd.WaitDelay = w.Dir, clitest.Hang
	cmd.Env = append(os.Environ(), "HOME="+w.Home, "XDG_CACHE_HOME="+clitest.Cache(), "XDG_DATA_HOME=", "CI=")
	cmd.Env = append(cmd.Env, w.Environ...)
	cmd.Stdout = w.Stdout
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var output strings.Builder
	for b := make([]byte, 1); len(typed) > 0 && typed[0] != ""; {
		if _, err := terminal.Read(b); err != nil {
			t.Fatalf("%v while waiting for %q: %s", err, prompt, output.String())
		}
		output.Write(b)
		if strings.HasSuffix(output.String(), prompt+" ") {
			if _, err := io.WriteString(terminal, typed[0]); err != nil {
				t.Fatal(err)
			}
			typed = typed[1:]
		}
	}
	// A terminal without processes ends with an error.
	rest, _ := io.ReadAll(terminal)
	output.Write(rest)
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), output.String()
}

// TestTerminalInit: on a real terminal the user chooses a proposal and confirms the files.
func TestTerminalInit(t *testing.T) {
	const which, write = "which one? [1-2, default 1]", "write this? [y/N]"
	for name, tt := range map[string]struct {
		args    []string
		typed   []string // after each prompt
		code    int
		command string // that is written, or ""
	}{
		"first":      {nil, []string{"\n", "y\n"}, 0, "[sh, dev.sh]"},
		"second":     {nil, []string{"2\n", "yes\n"}, 0, "[sh, run.sh]"},
		"wrong":      {nil, []string{"3\n", "x\n", "2\n", "y\n"}, 0, "[sh, run.sh]"},
		"no":         {nil, []string{"1\n", "\n"}, 0, ""},
		"the end":    {nil, []string{"\x04", "\x04"}, 0, ""},
		"interrupt":  {nil, []string{"\x03"}, 130, ""},
		"at the end": {nil, []string{"1\n", "\x03"}, 130, ""},
		"yes":        {[]string{"--yes"}, nil, 0, "[sh, dev.sh]"},
		"locked":     {[]string{"--locked"}, nil, 80, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := clitest.NewWorkspace(t, "")
			w.Write(t, "dev.sh", []byte("echo dev\n"))
			w.Write(t, "api/run.sh", []byte("echo api\n"))
			code, output := onTerminal(t, w, append([]string{"init"}, tt.args...), "]", tt.typed...)
			if code != tt.code || len(tt.typed) > 0 && !strings.Contains(output, which) || len(tt.typed) > 1 && !strings.Contains(output, write) {
				t.Errorf("exit code %d, want %d:\n%s", code, tt.code, output)
			}
			entries, err := os.ReadDir(w.Dir)
			if want := map[bool]int{false: 2, true: 5}[tt.command != ""]; err != nil || len(entries) != want {
				t.Errorf("%v, %v, want %d entries", entries, err, want)
			}
			if tt.command != "" && !strings.Contains(clitest.ReadFile(t, filepath.Join(w.Dir, "stagecraft.yml")), "command: "+tt.command) {
				t.Errorf("%s", clitest.ReadFile(t, filepath.Join(w.Dir, "stagecraft.yml")))
			}
		})
	}
}

// TestTerminalTrustInit: init asks whether to trust the provider that the user names.
func TestTerminalTrustInit(t *testing.T) {
	for answer, code := range map[string]int{"y\n": 1, "n\n": 3} {
		w := clitest.NewWorkspace(t, "")
		module, err := clitest.Builder().Module("providers/providertest/player")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(t, ".stagecraft/providers/player.wasm", []byte(clitest.ReadFile(t, module)))
		got, output := onTerminal(t, w, []string{"init", "--provider", "player"}, "[y/N]", "y\n", answer)
		if got != code || !strings.Contains(output, "trust it, and record it") {
			t.Errorf("%q: exit code %d, want %d:\n%s", answer, got, code, output)
		}
		if _, err := os.Stat(filepath.Join(w.Dir, "stagecraft.lock")); (err == nil) != (answer == "y\n") {
			t.Errorf("%q: the lock file: %v", answer, err)
		}
	}
}

// TestTerminalNotConfined: on a terminal, dev without a policy says how to get one.
func TestTerminalNotConfined(t *testing.T) {
	const said = "not confined: no policy; stagecraft init --only-policy writes one\r\n"
	for policy, want := range map[string]bool{"": true, "version: 1\nproviders: {generic: {exec: [echo dev]}}\n": false} {
		w := clitest.NewWorkspace(t, "")
		w.Write(t, "stagecraft.yml", []byte("backend: {provider: generic, providers: {generic: {dev: {command: [echo, dev]}}}}"))
		if policy != "" {
			w.Write(t, "stagecraft.policy.yml", []byte(policy))
		}
		if code, output := onTerminal(t, w, []string{"dev"}, "", ""); code != 0 || strings.Contains(output, said) != want {
			t.Errorf("exit code %d:\n%s", code, output)
		}
		if _, stderr, _ := w.Run(t, "dev"); stderr != "" {
			t.Errorf("without a terminal: %s", stderr)
		}
	}
}
