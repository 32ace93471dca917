package process

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// attackVar makes this program the attacker, or the process that runs it.
const attackVar = "STAGECRAFT_TEST_ATTACK"

func init() {
	switch os.Getenv(attackVar) {
	case "attacker":
		os.Exit(attackerMain(os.Args[1:]))
	case "cli":
		os.Exit(attackedMain(os.Args[1:]))
	}
}

// attackedMain runs the attacker as a command: confined or not, with a guard from a
// program or from ourselves. What else it is told on its input it runs beside that.
func attackedMain(args []string) int {
	confined, program, script := args[0] == "confined", args[1], args[2]
	guards := NewGuards(nil)
	if program != "" {
		data, err := os.ReadFile(program)
		if err != nil {
			return 97
		}
		guards = NewGuards(data)
	}
	defer guards.Close()
	self, _ := os.Executable()
	dir, _ := os.Getwd()
	c := Command{
		Program: "/bin/sh", Argv: []string{"sh", "-c", script}, Dir: dir, Guards: guards, Grace: time.Second,
		Env:    []string{"SELF=" + self, attackVar + "=attacker", markVar + "=" + os.Getenv(markVar)},
		Stdout: os.Stdout, Stderr: os.Stdout,
	}
	if confined {
		rules, err := attackRules(dir)
		if err != nil {
			fmt.Println(err)
			return 96
		}
		c.Confine = rules
	}
	done := launch(context.Background(), c)
	for range bufioLines(os.Stdin) {
		beside := c
		beside.Argv = []string{"sh", "-c", "exit 7"}
		res, err := Run(context.Background(), beside)
		fmt.Println("beside", res.ExitCode, err)
	}
	o := <-done
	fmt.Printf("result %d %s %v\n", o.res.ExitCode, o.res.Signal, o.err)
	return 0
}

func bufioLines(r io.Reader) func(func(string) bool) {
	return func(yield func(string) bool) {
		for lines := bufio.NewScanner(r); lines.Scan() && yield(lines.Text()); {
		}
	}
}

// attackRules are as wide as a policy can be that names files.
func attackRules(dir string) (*confine.Rules, error) {
	rules, err := confine.Profile("base", confine.Surroundings{})
	if err != nil {
		return nil, err
	}
	rules.AnyNet, rules.AnySockets = true, true
	rules.Read, rules.Exec, rules.Write = append(rules.Read, "/proc"), append(rules.Exec, dir), append(rules.Write, dir, "/dev/null")
	rules = rules.Resolved(filepath.EvalSymlinks)
	return &rules, nil
}

// arena is a directory with the programs of the attack, for one user.
type arena struct {
	user         int
	dir, program string // program is that of guards, empty for our own
}

// forArenas runs a test as each user that we can be, with both kinds of guards.
func forArenas(t *testing.T, f func(*testing.T, arena)) {
	basis(t) // skips where nothing can be confined
	guardProgram := buildGuard(t)
	users := []int{os.Getuid()}
	if os.Getuid() == 0 {
		users = append(users, 65534)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range users {
		for _, own := range []bool{false, true} {
			t.Run(fmt.Sprintf("user %d/own program %v", user, own), func(t *testing.T) {
				dir, err := os.MkdirTemp("", "attack")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = os.RemoveAll(dir) })
				a := arena{user: user, dir: dir}
				for _, err := range []error{
					os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "self"), self, 0o755), os.Chown(dir, user, user),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				if !own {
					a.program = filepath.Join(dir, "guard")
					if err := os.WriteFile(a.program, guardProgram, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				f(t, a)
			})
		}
	}
}

// buildGuard builds the program of package guard.
func buildGuard(t testing.TB) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "guard")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "../guard/stagecraft-guard")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// start starts a process that runs a script as a command.
func (a arena) start(t *testing.T, confined, script string) (cmd *exec.Cmd, input io.WriteCloser, output *bufio.Scanner, word string) {
	t.Helper()
	word = markVar + "=" + mark(t)
	cmd = exec.CommandContext(testContext(t), filepath.Join(a.dir, "self"), confined, a.program, script)
	cmd.Dir, cmd.Env = a.dir, []string{attackVar + "=cli", word, "PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.user != os.Getuid() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.user), Gid: uint32(a.user)}
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, input, bufio.NewScanner(out), word
}

// run runs a script to its end, and returns what was printed.
func (a arena) run(t *testing.T, confined, script string) []string {
	t.Helper()
	cmd, input, output, word := a.start(t, confined, script)
	input.Close()
	var lines []string
	for output.Scan() {
		lines = append(lines, output.Text())
	}
	_ = cmd.Wait()
	wantNoneSoon(t, word)
	return lines
}

// TestAttacks: no confined command can signal or change its guard, a thread of that, or
// us. Unconfined, each attack works: so it is the confinement that refuses it.
func TestAttacks(t *testing.T) {
	forArenas(t, func(t *testing.T, a arena) {
		lines := a.run(t, "confined", `exec "$SELF" all`)
		if !slices.Contains(lines, "done") || !slices.Contains(lines, "result 0  <nil>") {
			t.Errorf("the attacker did not survive: %q", lines[max(0, len(lines)-5):])
		}
		silent := map[string]bool{}
		for _, attack := range attacks() {
			silent[attack.name] = attack.silent
		}
		for _, line := range lines {
			words := strings.Split(line, "\t")
			if len(words) == 3 && words[2] == "<nil>" && !silent[words[0]] || line == "the guard has ended" {
				t.Errorf("not refused: %s", line)
			}
		}
		for _, attack := range attacks() {
			t.Run(attack.name, func(t *testing.T) {
				unconfined := a.run(t, "unconfined", `exec "$SELF" '`+attack.name+`'`)
				all := strings.Join(unconfined, "\n")
				ended := strings.Contains(all, "result 137 SIGKILL") || strings.Contains(all, "the guard has ended") || len(unconfined) == 0
				works := ended || !attack.silent && strings.Contains(all, "\t<nil>") ||
					attack.harmless != nil && strings.Contains(all, "\t"+attack.harmless.Error())
				if !works {
					t.Errorf("unconfined, it does nothing: %s", all)
				}
			})
		}
	})
}

// TestAttackBetween attacks all processes below ours while commands are started: none
// may be hit before it confines itself, while it does, or after.
func TestAttackBetween(t *testing.T) {
	const times = 50
	forArenas(t, func(t *testing.T, a arena) {
		cmd, input, output, word := a.start(t, "confined", `exec "$SELF" beside`)
		if !output.Scan() || output.Text() != "ready" {
			t.Fatalf("got %q", output.Text())
		}
		if _, err := io.WriteString(input, strings.Repeat("go\n", times)); err != nil {
			t.Fatal(err)
		}
		for i := range times {
			if !output.Scan() || output.Text() != "beside 7 <nil>" {
				t.Errorf("command %d: got %q", i, output.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		wantNoneSoon(t, word)
	})
}

// TestNothingOutlivesUsConfined: a confined command that attacks its guard, and leaves
// processes everywhere, ends with us all the same.
func TestNothingOutlivesUsConfined(t *testing.T) {
	forArenas(t, func(t *testing.T, a arena) {
		cmd, _, output, word := a.start(t, "confined", `trap '' TERM HUP INT; setsid sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &)
"$SELF" all >/dev/null; setsid sh -c 'echo ready; exec sleep 1000'`)
		if !output.Scan() || output.Text() != "ready" {
			t.Fatalf("got %q", output.Text())
		}
		if err := syscall.Kill(cmd.Process.Pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		wantNoneSoon(t, word)
	})
}
