//go:build unix

package exec

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// script starts a shell with that text.
func script(t *testing.T, g *hostfuncs.Gate, text string, change func(*abi.ProcessStartRequest)) int {
	t.Helper()
	q := abi.ProcessStartRequest{Argv: []string{"sh", "-c", text}}
	if change != nil {
		change(&q)
	}
	return hosttest.As[abi.ProcessStartResult](t, hosttest.Call(t, g, abi.OpProcessStart, q)).ID
}

func wait(t *testing.T, g *hostfuncs.Gate, q abi.ProcessWaitRequest) abi.ProcessWaitResult {
	t.Helper()
	return hosttest.As[abi.ProcessWaitResult](t, hosttest.Call(t, g, abi.OpProcessWait, q))
}

// alive reports whether a process that wrote its ID to a file still runs.
func (p *project) alive(t *testing.T, file string) bool {
	t.Helper()
	data, err := os.ReadFile(p.Root + "/" + file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return syscall.Kill(pid, 0) == nil
}

func TestStartAndWait(t *testing.T) {
	p := newProject(t, nil)
	p.Environ = append(os.Environ(), "SECRET=s3cret")
	g := p.gate(t, allowShell)
	id := script(t, g, "echo compiling; printf '\\033[1mready\\033[0m at 4000 with %s\\n' $GREETING; echo done >&2; cat; exit 3", func(q *abi.ProcessStartRequest) {
		in := abi.Text("in\n")
		q.Watch, q.Stdin, q.Env = []string{"ready at", "never"}, &in, map[string]abi.Value{"GREETING": abi.EnvRef("SECRET")}
	})
	if got := wait(t, g, abi.ProcessWaitRequest{}); got.Seen == nil || *got.Seen != (abi.ProcessLine{ID: id, Line: "ready at 4000 with ***"}) {
		t.Errorf("got %+v", got.Seen)
	}
	got := wait(t, g, abi.ProcessWaitRequest{IDs: []int{id}})
	if got.Exited == nil || got.Exited.ExitCode != 3 || got.Exited.Interrupted {
		t.Fatalf("got %+v", got)
	}
	for _, line := range []string{"compiling", "with ***", "done", "in"} {
		if !strings.Contains(got.Exited.Tail, line+"\n") {
			t.Errorf("the tail has no %q: %q", line, got.Exited.Tail)
		}
	}
	if out, err := p.Stdout.(*strings.Builder).String(), p.Stderr.(*strings.Builder).String(); out != "compiling\n\x1b[1mready\x1b[0m at 4000 with ***\nin\n" || err != "done\n" {
		t.Errorf("printed %q and %q", out, err)
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{IDs: []int{id}}), abi.CodeInvalid, fmt.Sprintf("no program with the ID %d", id))
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}), abi.CodeInvalid, "no program was started")
}

func TestStartRefuses(t *testing.T) {
	p := newProject(t, map[string]string{"bad": "#!/no/such/interpreter\n"})
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['**', ./bad]}}")
	for _, tt := range []struct {
		q    abi.ProcessStartRequest
		code abi.Code
		want string
	}{
		{abi.ProcessStartRequest{Argv: []string{"no-such-program"}}, abi.CodeNotFound, "no-such-program"},
		{abi.ProcessStartRequest{Argv: []string{"./bad"}}, abi.CodeFailed, "/no/such/interpreter"},
		{abi.ProcessStartRequest{Argv: []string{"sh"}, Watch: []string{""}}, abi.CodeInvalid, "watch"},
		{abi.ProcessStartRequest{Argv: []string{"sh"}, Watch: make([]string, abi.MaxWatches+1)}, abi.CodeInvalid, "watch"},
		{abi.ProcessStartRequest{}, abi.CodeInvalid, "argv is empty"},
	} {
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessStart, tt.q), tt.code, tt.want)
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}), abi.CodeInvalid, "no program was started")
	for range abi.MaxProcesses {
		script(t, g, "exec sleep 60", nil)
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: []string{"true"}}), abi.CodeTooLarge, "16 programs run already")
}

// TestWaitForAny has two programs, of which the second ends first.
func TestWaitForAny(t *testing.T) {
	p := newProject(t, map[string]string{"pipe": ""})
	g := p.gate(t, allowShell)
	first := script(t, g, "read x <fifo 2>/dev/null || exec sleep 60", nil)
	second := script(t, g, "exit 5", nil)
	if got := wait(t, g, abi.ProcessWaitRequest{TimeoutMS: 60_000}); got.Exited == nil || got.Exited.ID != second || got.Exited.ExitCode != 5 {
		t.Errorf("got %+v", got)
	}
	if got := wait(t, g, abi.ProcessWaitRequest{IDs: []int{first}, TimeoutMS: 1}); !got.TimedOut {
		t.Errorf("got %+v", got)
	}
	stopped := hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: first}))
	if stopped.ID != first || stopped.Signal != "SIGTERM" || stopped.Interrupted {
		t.Errorf("got %+v", stopped)
	}
}

// TestStop asks, and then kills the whole tree.
func TestStop(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, allowShell)
	polite := script(t, g, "trap 'echo bye; exit 7' INT; echo up; while :; do sleep 0.01; done", func(q *abi.ProcessStartRequest) { q.Watch = []string{"up"} })
	wait(t, g, abi.ProcessWaitRequest{})
	if got := hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: polite, Signal: "SIGINT"})); got.ExitCode != 7 || !strings.HasSuffix(got.Tail, "bye\n") {
		t.Errorf("got %+v", got)
	}
	rude := script(t, g, "trap '' INT TERM HUP; (trap '' INT TERM HUP; echo $$ >child; sh -c 'echo $PPID >child; sleep 60') & echo $$ >pid; echo up; while :; do sleep 1; done", func(q *abi.ProcessStartRequest) { q.Watch = []string{"up"} })
	wait(t, g, abi.ProcessWaitRequest{})
	got := hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: rude, GraceMS: 20}))
	if got.Signal != "SIGKILL" || p.alive(t, "pid") {
		t.Errorf("got %+v", got)
	}
	for _, q := range []abi.ProcessStopRequest{{ID: rude}, {ID: 99}, {ID: polite, Signal: "SIGKILL"}, {ID: polite, GraceMS: -1}} {
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessStop, q), abi.CodeInvalid, "")
	}
}

// TestInterruptIsAValue: an interrupt is returned once, and waits and probes continue
// after it.
func TestInterruptIsAValue(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['sh **'], net: {connect: ['*']}}}")
	hard, stop := context.WithCancel(t.Context())
	defer stop()
	soft, interrupt := context.WithCancelCause(t.Context())
	ctx := Lingering(soft, hard)
	start := g.Call(ctx, abi.OpProcessStart, []byte(`{"argv":["sh","-c","trap 'echo cleaning; exit 4' INT; echo up; while :; do sleep 0.01; done"],"watch":["up"]}`))
	hosttest.As[abi.ProcessStartResult](t, hosttest.Reply(t, start))
	next := func() abi.ProcessWaitResult {
		return hosttest.As[abi.ProcessWaitResult](t, hosttest.Reply(t, g.Call(ctx, abi.OpProcessWait, []byte(`{}`))))
	}
	if got := next(); got.Seen == nil {
		t.Fatalf("got %+v", got)
	}
	interrupt(Interrupt(syscall.SIGINT, nil))
	if got := next(); !got.Interrupted {
		t.Errorf("got %+v, want the interrupt", got)
	}
	if got := next(); got.Exited == nil || got.Exited.ExitCode != 4 || !got.Exited.Interrupted || !strings.HasSuffix(got.Exited.Tail, "cleaning\n") {
		t.Errorf("got %+v", got)
	}
	probe := g.Call(ctx, abi.OpProbe, []byte(`{"address":"127.0.0.1:`+freePort(t)+`","gone":true,"timeout_ms":60000}`))
	if got := hosttest.As[abi.ProbeResult](t, hosttest.Reply(t, probe)); got.Answers {
		t.Errorf("got %+v", got)
	}
	hosttest.WantError(t, hosttest.Reply(t, g.Call(ctx, abi.OpProcessStart, []byte(`{"argv":["sh"]}`))), abi.CodeInterrupted, "interrupted")
}

// TestCloseEndsAll wants nothing left of what a provider started and forgot.
func TestCloseEndsAll(t *testing.T) {
	p := newProject(t, nil)
	p.Grace = 50 * time.Millisecond
	g := p.gate(t, allowShell)
	script(t, g, "trap '' TERM; echo $$ >one; echo up; while :; do sleep 1; done", func(q *abi.ProcessStartRequest) { q.Watch = []string{"up"} })
	script(t, g, "echo $$ >two; echo up; exec sleep 60", func(q *abi.ProcessStartRequest) { q.Watch = []string{"up"} })
	wait(t, g, abi.ProcessWaitRequest{})
	wait(t, g, abi.ProcessWaitRequest{})
	p.made.Close()
	if p.alive(t, "one") || p.alive(t, "two") {
		t.Error("a process is left")
	}
}

// TestOutputOfSeveral wants whole lines, each with the name of its program, as
// long as there is more than one.
func TestOutputOfSeveral(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, allowShell)
	go1, go2 := p.Root+"/go1", p.Root+"/go2"
	for _, fifo := range []string{go1, go2} {
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Skip(err)
		}
	}
	first := script(t, g, "echo alone; read x <go1; printf one-; echo half; read x <go1; echo last", func(q *abi.ProcessStartRequest) {
		q.Watch = []string{"alone", "half"}
	})
	wait(t, g, abi.ProcessWaitRequest{})
	second := script(t, g, "printf no-newline; read x <go2", func(q *abi.ProcessStartRequest) { q.Name = "db" })
	// Kept open, so that written bytes wait for a reader.
	pipes := make(map[string]*os.File)
	for _, fifo := range []string{go1, go2} {
		f, err := os.OpenFile(fifo, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		pipes[fifo] = f
	}
	open := func(fifo string) { fmt.Fprintln(pipes[fifo]) }
	open(go1)
	if got := wait(t, g, abi.ProcessWaitRequest{IDs: []int{first}}); got.Seen == nil || got.Seen.Line != "one-half" {
		t.Fatalf("got %+v", got)
	}
	open(go2)
	if got := wait(t, g, abi.ProcessWaitRequest{IDs: []int{second}}); got.Exited == nil {
		t.Fatalf("got %+v", got)
	}
	open(go1)
	if got := wait(t, g, abi.ProcessWaitRequest{IDs: []int{first}}); got.Exited == nil {
		t.Fatalf("got %+v", got)
	}
	lines := strings.Split(p.Stdout.(*strings.Builder).String(), "\n")
	for _, want := range []string{"alone", "sh | one-half", "db | no-newline", "sh | last"} {
		if !strings.Contains("\n"+strings.Join(lines, "\n"), "\n"+want+"\n") {
			t.Errorf("no line %q in %q", want, lines)
		}
	}
}

// freePort is a port without a server during the test.
func freePort(t *testing.T) string {
	t.Helper()
	_, port := boundSocket(t)
	return strconv.Itoa(port)
}

// boundSocket is a socket that has a port and does not listen.
func boundSocket(t *testing.T) (fd, port int) {
	t.Helper()
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, at.(*syscall.SockaddrInet4).Port
}

func TestProbe(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['**'], net: {connect: ['*']}}}")
	status := http.StatusNotFound
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
			return
		}
		w.WriteHeader(status)
	})}
	go server.Serve(l)
	defer server.Close()
	address, free := l.Addr().String(), "127.0.0.1:"+freePort(t)
	_, port, _ := net.SplitHostPort(address)
	for _, tt := range []struct {
		q    abi.ProbeRequest
		want abi.ProbeResult
	}{
		{abi.ProbeRequest{Address: address}, abi.ProbeResult{Answers: true}},
		{abi.ProbeRequest{Address: "localhost:" + port}, abi.ProbeResult{Answers: true}},
		{abi.ProbeRequest{Address: address, Path: "/x"}, abi.ProbeResult{Answers: true, Status: 404}},
		{abi.ProbeRequest{Address: address, Path: "/away"}, abi.ProbeResult{Answers: true, Status: 302}},
		{abi.ProbeRequest{Address: free}, abi.ProbeResult{}},
		{abi.ProbeRequest{Address: free, TimeoutMS: 1}, abi.ProbeResult{}},
		{abi.ProbeRequest{Address: free, Gone: true, TimeoutMS: 60_000}, abi.ProbeResult{}},
		{abi.ProbeRequest{Address: address, Gone: true, TimeoutMS: 1}, abi.ProbeResult{Answers: true}},
	} {
		if diff := cmp.Diff(tt.want, hosttest.As[abi.ProbeResult](t, hosttest.Call(t, g, abi.OpProbe, tt.q))); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", tt.q, diff)
		}
	}
	status = http.StatusInternalServerError
	if got := hosttest.As[abi.ProbeResult](t, hosttest.Call(t, g, abi.OpProbe, abi.ProbeRequest{Address: address, Path: "/"})); got.Answers || got.Status != 500 {
		t.Errorf("got %+v", got)
	}
	for _, q := range []abi.ProbeRequest{
		{}, {Address: "127.0.0.1"}, {Address: "127.0.0.1:0"}, {Address: "127.0.0.1:65536"}, {Address: "127.0.0.1:http"}, {Address: "example.com:80"}, {Address: "192.0.2.1:80"},
		{Address: "0.0.0.0:80"}, {Address: "[fe80::1%lo]:80"}, {Address: "127.0.0.1:80", Path: "x"}, {Address: "127.0.0.1:80", Path: "/ HTTP/1.1\r\nX: y"}, {Address: "127.0.0.1:80", TimeoutMS: -1},
		{Address: "127.0.0.1:80", While: []int{7}},
	} {
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpProbe, q), abi.CodeInvalid, "")
	}
	hosttest.WantError(t, hosttest.Call(t, p.gate(t, "version: 1\nproviders: {test: {net: {connect: [4]}}}"), abi.OpProbe, abi.ProbeRequest{Address: address}), abi.CodeDenied, "port "+port)
}

// TestProbeEndsWithItsProgram wants no wait for what can't answer any more.
func TestProbeEndsWithItsProgram(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['**'], net: {connect: ['*']}}}")
	id := script(t, g, "exit 1", nil)
	if got := hosttest.As[abi.ProbeResult](t, hosttest.Call(t, g, abi.OpProbe, abi.ProbeRequest{Address: "127.0.0.1:" + freePort(t), TimeoutMS: 60_000, While: []int{id}})); got.Answers {
		t.Errorf("got %+v", got)
	}
	if got := wait(t, g, abi.ProcessWaitRequest{}); got.Exited == nil {
		t.Errorf("got %+v", got)
	}
}
