package main_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// shellSetups start each shell without the user's settings, and load the completion.
var shellSetups = map[string]struct {
	args  []string
	setup string
}{
	"bash": {[]string{"--norc", "--noprofile", "-i"}, "source <($STAGECRAFT completion bash)"},
	"zsh":  {[]string{"-f", "-i"}, "autoload -Uz compinit; compinit -u -D; source <($STAGECRAFT completion zsh)"},
	"fish": {[]string{"--no-config", "-i"}, "$STAGECRAFT completion fish | source"},
}

// TestCompletion types unfinished commands and the tab key in each shell, and expects the
// arguments that stagecraft gets.
func TestCompletion(t *testing.T) {
	for shell := range shellSetups {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			s := startShell(t, shell)
			for typed, want := range map[string]string{
				"vali":                           "validate",
				"provider ins":                   "provider inspect",
				"provider inspect enc":           "provider inspect encore-ts",
				"provider untrust old":           "provider untrust older",
				"policy explain docker_b":        "policy explain docker_build",
				"policy learn bu":                "policy learn build",
				"build --engine emb":             "build --engine embedded",
				"build --engine=emb":             "build --engine=embedded",
				"build --progress=rawj":          "build --progress=rawjson",
				"build --no-c":                   "build --no-cache",
				"build --locked --no-loc":        "build --locked --no-loc", // it is given
				"build --output oci:sub":         "build --output oci:subdir",
				"build --base app=oci:sub":       "build --base app=oci:subdir",
				"-C sub":                         "-C subdir",
				"validate --config=stagecraft.y": "validate --config=stagecraft.yml",
				"audit show my":                  "audit show my log.jsonl",
				"audit verify --head x my":       "audit verify --head x my log.jsonl",
				"policy check stagecraft.y":      "policy check stagecraft.yml",
				"help plan bu":                   "help plan build",
				"completion pow":                 "completion powershell",
				"-C subdir provider ins":         "-C subdir provider inspect",
				"-C subdir provider diff str":    "-C subdir provider diff stranger",
			} {
				if got := s.complete(t, typed); got != want {
					t.Errorf("stagecraft %s: got %q, want %q", typed, got, want)
				}
			}
		})
	}
}

// shell is an interactive shell on a terminal.
type shell struct {
	terminal *os.File
	lines    *bufio.Reader
}

// startShell starts a shell in a project. The stagecraft in its PATH prints its
// arguments, and asks the real one for completions and scripts.
func startShell(t *testing.T, name string) shell {
	t.Helper()
	program := providertest.Installed(t, name)
	dir, bin := t.TempDir(), t.TempDir()
	for file, text := range map[string]string{
		filepath.Join(bin, "stagecraft"):                                       "#!/bin/sh\nif [ \"$1\" = __complete ]; then exec $STAGECRAFT \"$@\"; fi\necho got \"$*\"\n",
		filepath.Join(dir, "stagecraft.yml"):                                   "broken: [\n",
		filepath.Join(dir, "my log.jsonl"):                                     "",
		filepath.Join(dir, "subdir", "stagecraft.yml"):                         "",
		filepath.Join(dir, "subdir", ".stagecraft/providers", "stranger.wasm"): "",
		filepath.Join(dir, "stagecraft.lock"):                                  lockOf("older"),
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	setup := shellSetups[name]
	ctx, cancel := context.WithTimeout(t.Context(), clitest.Hang)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, setup.args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "PATH="+bin+":"+os.Getenv("PATH"), "TERM=dumb", "HISTFILE=", "STAGECRAFT="+clitest.Binary())
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		terminal.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := shell{terminal, bufio.NewReader(terminal)}
	s.send(t, setup.setup+"\r")
	s.send(t, "stagecraft ready\r")
	if got := s.got(t); got != "ready" {
		t.Fatalf("the shell begins with %q", got)
	}
	return s
}

func lockOf(id string) string {
	return "version: 1\nproviders:\n  " + id + ": {version: v1, sha256: " + strings.Repeat("a", 64) +
		", abi: 1, source: project, path: x, imports: [], asked: {}, granted: {}}\n"
}

func (s shell) send(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(s.terminal, keys); err != nil {
		t.Fatal(err)
	}
}

// complete completes an unfinished command, runs it, and returns its arguments. A slash
// after a directory depends on the shell.
func (s shell) complete(t *testing.T, typed string) string {
	t.Helper()
	s.send(t, "stagecraft "+typed+"\t\r")
	return strings.TrimSuffix(s.got(t), "/")
}

// got is what stagecraft prints next.
func (s shell) got(t *testing.T) string {
	t.Helper()
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, line)
		}
		if i := strings.LastIndex(line, "got "); i >= 0 && !strings.Contains(line, "echo got") {
			return strings.TrimSpace(line[i+len("got "):])
		}
	}
}
