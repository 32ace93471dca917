package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// session is a process that leads a terminal of its own, below which the
// driver runs a command.
type session struct {
	keys   *os.File // the terminal's other end
	cmd    *exec.Cmd
	report *json.Decoder
	orders *os.File // file 4 of the process
	reply  *bufio.Reader
	word   string
	before *term.State
}

// openSession runs this program, by way of argv, on a terminal that shows what
// comes to the writers.
func openSession(t *testing.T, name string, argv []string, shown ...io.Writer) *session {
	t.Helper()
	s := &session{word: markVar + "=" + mark(t)}
	report, reportEnd := openPipe(t)
	ordersEnd, orders := openPipe(t)
	reply, replyEnd := openPipe(t)
	s.report, s.orders, s.reply = json.NewDecoder(report), orders, bufio.NewReader(reply)
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Dir = t.TempDir()
	// A race detector makes each process wait a second at its end.
	s.cmd.Env = append(os.Environ(), helperVar+"="+name, s.word, "GORACE=atexit_sleep_ms=0")
	s.cmd.ExtraFiles = []*os.File{reportEnd, ordersEnd, replyEnd}
	keys, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if s.before, err = term.GetState(int(keys.Fd())); err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(keys, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	s.keys, s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = keys, tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{tty, reportEnd, ordersEnd, replyEnd} {
		f.Close()
	}
	s.watch(t, shown)
	return s
}

func openPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// watch shows what is written to the terminal until no process has it open.
func (s *session) watch(t *testing.T, shown []io.Writer) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := io.Copy(io.MultiWriter(shown...), s.keys)
		if err != nil && !errors.Is(err, syscall.EIO) {
			t.Errorf("the terminal: %v", err)
		}
	}()
	t.Cleanup(func() {
		for _, pid := range marked(s.word) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		<-done
		s.keys.Close()
	})
}

// drive has the driver run a command on a terminal.
func drive(t *testing.T, grace string, argv []string, shown ...io.Writer) *session {
	t.Helper()
	return openSession(t, "drive", append([]string{"/proc/self/exe", grace}, argv...), shown...)
}

func (s *session) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := s.keys.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

func (s *session) next(t *testing.T) driven {
	t.Helper()
	var d driven
	if err := s.report.Decode(&d); err != nil {
		t.Fatalf("no report: %v", err)
	}
	return d
}

// end waits for everything and checks what is left.
func (s *session) end(t *testing.T) Result {
	t.Helper()
	d := s.next(t)
	if d.Err != "" || !d.Foreground {
		t.Errorf("the driver says %+v", d)
	}
	after, err := term.GetState(int(s.keys.Fd()))
	if err != nil || !reflect.DeepEqual(after, s.before) {
		t.Errorf("the terminal is in another mode: %v", err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the driver: %v", err)
	}
	if pids := marked(s.word); len(pids) != 0 {
		t.Errorf("processes %v are left", pids)
	}
	return d.Result
}

const (
	ctrlC = "\x03"
	ctrlZ = "\x1a"
)

func TestTerminalReachesTheChild(t *testing.T) {
	ready, got := expect("ready"), expect("got some text")
	script := `test -t 0 && test -t 1 && test -t 2 && echo ready && read line && echo "got $line" && exit 4`
	s := drive(t, "1h", []string{"/bin/sh", "-c", script}, ready, got)
	ready.until(t)
	s.press(t, "some text\n")
	got.until(t)
	if res := s.end(t); res.ExitCode != 4 || res.Interrupted {
		t.Errorf("got %+v", res)
	}
}

func TestTerminalSize(t *testing.T) {
	first, then := expect("first 80 24 <nil>"), expect("then 132 50 <nil>")
	s := drive(t, "1h", []string{"helper:winsize"}, first, then)
	first.until(t)
	if err := pty.Setsize(s.keys, &pty.Winsize{Cols: 132, Rows: 50}); err != nil {
		t.Fatal(err)
	}
	then.until(t)
	s.end(t)
}

func TestTerminalCtrlC(t *testing.T) {
	ready, bye := expect("ready"), expect("bye")
	s := drive(t, "1h", []string{"helper:graceful"}, ready, bye)
	ready.until(t)
	s.press(t, ctrlC)
	bye.until(t)
	if res := s.end(t); res.ExitCode != 0 || res.Killed {
		t.Errorf("got %+v", res)
	}
}

func TestTerminalCtrlCIsNotRepeated(t *testing.T) {
	ready, termed := expect("ready"), expect("got SIGTERM")
	s := drive(t, "8s", []string{"helper:signals"}, ready, termed)
	ready.until(t)
	s.press(t, ctrlC)
	termed.until(t)
	res := s.end(t)
	if res.ExitCode != 7 || !res.Interrupted || res.Killed {
		t.Errorf("got %+v", res)
	}
	if n := strings.Count(termed.String(), "got SIGINT"); n != 1 {
		t.Errorf("SIGINT came %d times: %q", n, termed)
	}
}

func TestTerminalSecondCtrlCKills(t *testing.T) {
	ready, got, took := expect("ready"), expect("got SIGINT"), expect("took the first")
	s := drive(t, "1h", []string{"helper:signals"}, ready, got, took)
	ready.until(t)
	s.press(t, ctrlC)
	got.until(t)
	took.until(t)
	s.press(t, ctrlC)
	if res := s.end(t); res.Signal != "SIGKILL" || !res.Killed || !res.Interrupted {
		t.Errorf("got %+v", res)
	}
}

func TestTerminalOtherSignalsArePassedOn(t *testing.T) {
	ready, got, took := expect("ready"), expect("got SIGHUP"), expect("took the first")
	s := drive(t, "1h", []string{"helper:signals"}, ready, got, took)
	ready.until(t)
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if err := s.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		got.until(t)
		took.until(t)
	}
	if res := s.end(t); res.Signal != "SIGKILL" || !res.Interrupted {
		t.Errorf("got %+v", res)
	}
}

func TestTerminalTreeEndsWithItsChild(t *testing.T) {
	for name, script := range remnants {
		t.Run(name, func(t *testing.T) {
			s := drive(t, "1h", []string{"/bin/sh", "-c", script}, io.Discard)
			if res := s.end(t); res.ExitCode != 3 || res.Killed {
				t.Errorf("got %+v", res)
			}
		})
	}
}

func TestTerminalIsRestored(t *testing.T) {
	for name, want := range map[string]int{"raw": 5, "seize": 137} {
		t.Run(name, func(t *testing.T) {
			s := drive(t, "1h", []string{"helper:" + name}, io.Discard)
			if res := s.end(t); res.ExitCode != want {
				t.Errorf("got %+v", res)
			}
		})
	}
}

func TestTerminalJobControl(t *testing.T) {
	for name, tt := range map[string]struct {
		script, keys string
		order        rune
	}{
		"Ctrl-Z":           {`echo ready; read line; echo "got $line"`, ctrlZ, orderAll},
		"stops itself":     {`echo ready; kill -STOP $$; read line; echo "got $line"`, "", orderAll},
		"woken by us":      {`echo ready; kill -STOP $$; read line; echo "got $line"`, "", orderDriver},
		"stops its group":  {`echo ready; kill -TSTP 0; read line; echo "got $line"`, "", orderAll},
		"suspends in turn": {`sh -c 'echo ready; read line; echo "got $line"'; true`, ctrlZ, orderAll},
	} {
		t.Run(name, func(t *testing.T) {
			ready, got := expect("ready"), expect("got on")
			argv := []string{"/proc/self/exe", "1h", "/bin/sh", "-c", tt.script}
			s := openSession(t, "job-shell", argv, ready, got)
			ready.until(t)
			s.press(t, tt.keys)
			if d := s.next(t); d.Err != "stopped" {
				t.Fatalf("got %+v", d)
			}
			if _, err := s.orders.WriteString(string(tt.order)); err != nil {
				t.Fatal(err)
			}
			s.press(t, "on\n")
			got.until(t)
			if res := s.end(t); res.ExitCode != 0 || res.Interrupted {
				t.Errorf("got %+v", res)
			}
		})
	}
}

func TestTerminalPeersAreLeftAlone(t *testing.T) {
	// Both are in one process group, as in a pipeline that a shell starts.
	pipeline := helperVar + `=drive "$0" 0s /bin/sh -c 'kill -TERM $DRIVER; sleep 1000' | ` + helperVar + `=peer "$0"`
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := openSession(t, "", []string{"/bin/sh", "-c", pipeline, self}, io.Discard)
	if line, err := s.reply.ReadString('\n'); err != nil || line != "alive\n" {
		t.Fatalf("the peer says %q, %v", line, err)
	}
	if d := s.next(t); !d.Result.Killed || !d.Result.Interrupted || !d.Foreground {
		t.Errorf("the driver says %+v", d)
	}
	if _, err := s.orders.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := s.reply.ReadString('\n'); err != nil || line != "alive\n" {
		t.Errorf("then the peer says %q, %v", line, err)
	}
	s.orders.Close()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the pipeline: %v", err)
	}
}
