//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestRunExitStatus(t *testing.T) {
	for _, tt := range []struct {
		script, signal string
		code           int
	}{
		{"exit 0", "", 0},
		{"exit 3", "", 3},
		{"exit 255", "", 255},
		{"kill -KILL $$", "SIGKILL", 137},
		{"kill -TERM $$", "SIGTERM", 143},
		{"kill -INT $$", "SIGINT", 130},
		{"kill -40 $$", "SIG40", 168},
	} {
		t.Run(tt.script, func(t *testing.T) {
			res := run(t, shell(t, tt.script))
			if res.ExitCode != tt.code || res.Signal != tt.signal {
				t.Errorf("got %d %q, want %d %q", res.ExitCode, res.Signal, tt.code, tt.signal)
			}
			if res.Interrupted || res.Killed || res.TimedOut || res.Left != 0 {
				t.Errorf("unexpected %+v", res)
			}
		})
	}
}

func TestRunHandsOverExactly(t *testing.T) {
	var out bytes.Buffer
	c := shell(t, `printf '%s|%s|%s|' "$0" "$1" "$PWD"; exec /usr/bin/env`)
	c.Argv = append(c.Argv, "the name", "two\nlines $HOME * ")
	c.Env = []string{"B=2", "A=", "C=x=y"}
	c.Stdout = &out
	run(t, c)
	name, rest, _ := strings.Cut(out.String(), "|")
	arg, rest, _ := strings.Cut(rest, "|")
	dir, env, _ := strings.Cut(rest, "|")
	if name != "the name" || arg != "two\nlines $HOME * " || dir != c.Dir {
		t.Errorf("got %q %q in %q", name, arg, dir)
	}
	for _, line := range c.Env {
		if !strings.Contains(env, line+"\n") {
			t.Errorf("no %q in %q", line, env)
		}
	}
	// The shell sets PWD (and some shells two more) by itself.
	for line := range strings.Lines(env) {
		if strings.HasPrefix(line, "HOME=") || strings.HasPrefix(line, "PATH=") {
			t.Errorf("%q was added", line)
		}
	}
}

func TestRunEmptyEnvironment(t *testing.T) {
	var out bytes.Buffer
	c := shell(t, "")
	c.Program, c.Argv, c.Env, c.Stdout = "/usr/bin/env", []string{"env"}, nil, &out
	if run(t, c); out.Len() != 0 {
		t.Errorf("the environment has %q", &out)
	}
}

func TestRunKeepsOutputsApartAndWhole(t *testing.T) {
	const mib = 50
	var stdout, stderr counter
	c := helper(t, "flood", "50")
	c.Stdout, c.Stderr = &stdout, &stderr
	if res := run(t, c); res.ExitCode != 0 {
		t.Fatalf("exit code %d", res.ExitCode)
	}
	if stdout['o'] != mib<<20 || stdout['e'] != 0 {
		t.Errorf("standard output has %d and %d of the other", stdout['o'], stdout['e'])
	}
	if stderr['e'] != mib<<20 || stderr['o'] != 0 {
		t.Errorf("standard error has %d and %d of the other", stderr['e'], stderr['o'])
	}
}

// counter counts bytes by value.
type counter [256]int

func (c *counter) Write(p []byte) (int, error) {
	for _, b := range p {
		c[b]++
	}
	return len(p), nil
}

func TestRunOneWriterForBoth(t *testing.T) {
	// Two goroutines writing to it would be seen by the race detector.
	var both bytes.Buffer
	c := helper(t, "flood", "1")
	c.Stdout, c.Stderr = &both, &both
	run(t, c)
	if both.Len() != 2<<20 {
		t.Errorf("%d bytes came", both.Len())
	}
}

func TestRunStdin(t *testing.T) {
	text := strings.Repeat("some input\n", 100_000)
	var out bytes.Buffer
	c := shell(t, "cat")
	c.Stdin, c.Stdout = strings.NewReader(text), &out
	if run(t, c); out.String() != text {
		t.Errorf("%d of %d bytes came back", out.Len(), len(text))
	}
}

func TestRunStdinNeedNotBeRead(t *testing.T) {
	c := shell(t, "exit 4")
	c.Stdin = strings.NewReader(strings.Repeat("x", 1<<20))
	if res := run(t, c); res.ExitCode != 4 {
		t.Errorf("exit code %d", res.ExitCode)
	}
}

func TestRunWithoutStdinReadsNothing(t *testing.T) {
	c := shell(t, "cat; exit 6")
	if res := run(t, c); res.ExitCode != 6 {
		t.Errorf("exit code %d", res.ExitCode)
	}
}

func TestRunHandsFilesOver(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := os.Open("run_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c := shell(t, `test -f /dev/stdin && test -f /dev/stdout && head -n 1 && echo err >&2`)
	c.Stdin, c.Stdout, c.Stderr = in, out, out
	if res := run(t, c); res.ExitCode != 0 {
		t.Fatalf("exit code %d: the child has other files", res.ExitCode)
	}
	got, err := os.ReadFile(out.Name())
	if err != nil || string(got) != "//go:build unix\nerr\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestRunWriterThatFails(t *testing.T) {
	full := errors.New("disk full")
	c := shell(t, "exec yes")
	c.Stdout = writerFunc(func([]byte) (int, error) { return 0, full })
	res, err := Run(testContext(t), c)
	if !errors.Is(err, full) || !strings.HasPrefix(err.Error(), "standard output: ") {
		t.Errorf("got error %v", err)
	}
	if res.Signal != "SIGPIPE" {
		t.Errorf("the child did not get the error: %+v", res)
	}
}

func TestRunReaderThatFails(t *testing.T) {
	broken := errors.New("broken")
	c := shell(t, "cat; exit 2")
	c.Stdin = readerFunc(func([]byte) (int, error) { return 0, broken })
	res, err := Run(testContext(t), c)
	if !errors.Is(err, broken) || res.ExitCode != 2 {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestRunContextThatIsDone(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(NewInterrupted(os.Interrupt, nil))
	c := shell(t, "touch ran")
	_, err := Run(ctx, c)
	if i, ok := errors.AsType[*Interrupted](err); !ok || i.Signal != syscall.SIGINT {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "ran")); err == nil {
		t.Error("the command was run")
	}
}

func TestRunRefusesWhatIsNotExact(t *testing.T) {
	good := shell(t, "touch ran")
	for name, change := range map[string]func(*Command){
		"relative program":   func(c *Command) { c.Program = "sh" },
		"relative directory": func(c *Command) { c.Dir = "." },
		"empty argv":         func(c *Command) { c.Argv = nil },
		"NUL in argv":        func(c *Command) { c.Argv = []string{"sh", "a\x00b"} },
		"NUL in env":         func(c *Command) { c.Env = []string{"A=s3cr\x00et"} },
		"NUL in directory":   func(c *Command) { c.Dir += "\x00" },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			_, err := Run(testContext(t), c)
			e, ok := errors.AsType[*StartError](err)
			if !ok || errors.Is(err, syscall.EINVAL) {
				t.Errorf("got %T %v", err, e)
			}
			if strings.Contains(err.Error(), "s3cr") {
				t.Errorf("it tells a value: %v", err)
			}
		})
	}
}

func TestNewInterrupted(t *testing.T) {
	kill := make(chan struct{})
	for sig, want := range map[os.Signal]syscall.Signal{
		syscall.SIGTERM: syscall.SIGTERM, os.Interrupt: syscall.SIGINT, oddSignal{}: syscall.SIGINT,
	} {
		if i := NewInterrupted(sig, kill); i.Signal != want || i.Kill != (<-chan struct{})(kill) {
			t.Errorf("%v: got %+v", sig, i)
		}
	}
}

type oddSignal struct{}

func (oddSignal) String() string { return "odd" }
func (oddSignal) Signal()        {}

func TestCheckBatch(t *testing.T) {
	for _, program := range []string{`C:\node\npm.cmd`, `C:\x.BAT`} {
		for _, word := range []string{`"&calc`, "%PATH%", "a|b", "a&b", "a>b", "<a", "a^b", "!x!", "a\r\nb"} {
			if err := checkBatch(program, []string{"npm", "run", word}); err == nil || !strings.Contains(err.Error(), strconv.Quote(word)) {
				t.Errorf("%s %q: got %v", program, word, err)
			}
		}
		if err := checkBatch(program, []string{"a&b", "run", "dev", "--x=1", "two words", ""}); err != nil {
			t.Errorf("%s: got %v", program, err)
		}
	}
	if err := checkBatch(`C:\node\node.exe`, []string{"node", `"&calc`}); err != nil {
		t.Errorf("a program is taken for a batch file: %v", err)
	}
}
