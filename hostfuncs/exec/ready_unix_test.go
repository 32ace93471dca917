//go:build unix

package exec

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

const allowServers = "version: 1\nproviders: {test: {exec: ['**'], net: {connect: ['*']}}}"

// serve listens at a bound socket. GET /up is answered with 200, all else with 503.
func serve(t *testing.T, fd int) {
	t.Helper()
	if err := syscall.Listen(fd, 10); err != nil {
		t.Fatal(err)
	}
	copied, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(copied), "socket")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/up" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
}

func TestReady(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, allowServers)
	for _, ready := range []func(port int) *abi.Ready{
		func(port int) *abi.Ready { return &abi.Ready{TCP: port} },
		func(port int) *abi.Ready { return &abi.Ready{HTTP: &abi.ReadyHTTP{Port: port, Path: "/up"}} },
		func(port int) *abi.Ready {
			return &abi.Ready{HTTP: &abi.ReadyHTTP{Port: port, Path: "/down", Status: 503}}
		},
		func(int) *abi.Ready { return &abi.Ready{Log: "^serving [0-9]+$"} },
	} {
		fd, port := boundSocket(t)
		var want *abi.Ready
		id := script(t, g, "printf '\\033[1mserving\\033[0m 4\\n'; exec sleep 60", func(q *abi.ProcessStartRequest) {
			want = ready(port)
			q.Ready = want
		})
		if want.Log == "" {
			if got := wait(t, g, abi.ProcessWaitRequest{TimeoutMS: 1}); !got.TimedOut {
				t.Errorf("%+v: got %+v before anything listens", want, got)
			}
			serve(t, fd)
		}
		if got := wait(t, g, abi.ProcessWaitRequest{IDs: []int{id}}); got.Ready == nil || got.Ready.ID != id {
			t.Errorf("%+v: got %+v", want, got)
		}
		hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: id}))
	}
}

// TestReadyRefuses wants a condition that cannot be met rightly to be an error before
// anything runs.
func TestReadyRefuses(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, allowServers)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	for _, tt := range []struct {
		ready abi.Ready
		code  abi.Code
		want  string
	}{
		{abi.Ready{TCP: taken}, abi.CodeFailed, "something already answers at localhost"},
		{abi.Ready{}, abi.CodeInvalid, "one of tcp, http and log"},
		{abi.Ready{TCP: 1, Log: "x"}, abi.CodeInvalid, "one of tcp, http and log"},
		{abi.Ready{TCP: 65536}, abi.CodeInvalid, "65536 is not a port"},
		{abi.Ready{TCP: -1}, abi.CodeInvalid, "-1 is not a port"},
		{abi.Ready{HTTP: &abi.ReadyHTTP{}}, abi.CodeInvalid, "0 is not a port"},
		{abi.Ready{HTTP: &abi.ReadyHTTP{Port: 1, Path: "/ HTTP/1.1\r\nX: y"}}, abi.CodeInvalid, "is not a path"},
		{abi.Ready{HTTP: &abi.ReadyHTTP{Port: 1, Status: 1000}}, abi.CodeInvalid, "is not an HTTP status"},
		{abi.Ready{Log: "("}, abi.CodeInvalid, "missing closing )"},
		{abi.Ready{Log: strings.Repeat("x", abi.MaxReadyLog+1)}, abi.CodeTooLarge, "the limit is 1024"},
	} {
		q := abi.ProcessStartRequest{Argv: []string{"touch", "made"}, Ready: &tt.ready}
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessStart, q), tt.code, tt.want)
	}
	denied := p.gate(t, "version: 1\nproviders: {test: {exec: ['**'], net: {connect: [4]}}}")
	q := abi.ProcessStartRequest{Argv: []string{"touch", "made"}, Ready: &abi.Ready{TCP: 5}}
	hosttest.WantError(t, hosttest.Call(t, denied, abi.OpProcessStart, q), abi.CodeDenied, "port 5")
	if _, err := os.Stat(p.Root + "/made"); err == nil {
		t.Error("the program ran")
	}
}

func TestReadyMessage(t *testing.T) {
	p := newProject(t, nil)
	var told []abi.ReadyProcess
	p.Ready = func(ready []abi.ReadyProcess, _ string) { told = ready }
	g := p.gate(t, allowServers)
	hosttest.As[abi.Empty](t, hosttest.Call(t, g, abi.OpReady, abi.ReadyRequest{Processes: []abi.ReadyProcess{
		{Name: "web\x1b[2J\nx", URL: "http://localhost:4000/a"}, {Name: "db"},
	}}))
	if diff := cmp.Diff([]abi.ReadyProcess{{Name: "web x", URL: "http://localhost:4000/a"}, {Name: "db"}}, told); diff != "" {
		t.Error(diff)
	}
	again := abi.ReadyRequest{Processes: []abi.ReadyProcess{{Name: "again"}}}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpReady, again), abi.CodeInvalid, "the user was told already")
	for _, url := range []string{"localhost:4000", "file:///etc/passwd", "http://", "http://a b", "https://you@host", "javascript:alert(1)", "http://x/\u009b2J", "http://x/\u202ey", "http://x/" + strings.Repeat("x", 2000)} {
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpReady, abi.ReadyRequest{Processes: []abi.ReadyProcess{{Name: "a", URL: url}}}), abi.CodeInvalid, "is not a URL")
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpReady, abi.ReadyRequest{}), abi.CodeInvalid, "expected 1 to 16 processes")
}

// TestReadyOpens wants the first URL to be opened only if it is of this machine, and if the
// policy allows its port.
func TestReadyOpens(t *testing.T) {
	for url, want := range map[string]string{
		"http://localhost:4000/a": "http://localhost:4000/a", "http://127.0.0.1:4000": "http://127.0.0.1:4000", "https://[::1]:4000": "https://[::1]:4000",
		"http://shop.localhost:4000": "http://shop.localhost:4000", "http://example.com:4000": "", "http://localhost.example.com:4000": "", "http://192.0.2.1:4000": "",
	} {
		p := newProject(t, nil)
		opened := "nothing was told"
		p.Opens, p.Ready = true, func(_ []abi.ReadyProcess, open string) { opened = open }
		q := abi.ReadyRequest{Processes: []abi.ReadyProcess{{Name: "db"}, {Name: "web", URL: url}, {Name: "x", URL: "http://localhost:5000"}}}
		hosttest.As[abi.Empty](t, hosttest.Call(t, p.gate(t, "version: 1\nproviders: {test: {net: {connect: [4000]}}}"), abi.OpReady, q))
		if opened != want {
			t.Errorf("%s: opened %q", url, opened)
		}
		if want == "" {
			continue
		}
		p.Ready = func([]abi.ReadyProcess, string) { t.Error("the user was told, and a URL opened") }
		hosttest.WantError(t, hosttest.Call(t, p.gate(t, "version: 1\nproviders: {test: {net: {connect: [5000]}}}"), abi.OpReady, q), abi.CodeDenied, "port 4000")
	}
}

// TestStopOften wants repeated requests to end a program to cost nothing.
func TestStopOften(t *testing.T) {
	p := newProject(t, nil)
	p.Grace = 2 * time.Second
	g := p.gate(t, allowShell)
	id := script(t, g, "trap '' TERM; echo up; while :; do sleep 0.01; done", func(q *abi.ProcessStartRequest) { q.Ready = &abi.Ready{Log: "up"} })
	wait(t, g, abi.ProcessWaitRequest{})
	hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: id, NoWait: true}))
	before := runtime.NumGoroutine()
	for range 500 {
		hosttest.As[abi.ProcessExit](t, hosttest.Call(t, g, abi.OpProcessStop, abi.ProcessStopRequest{ID: id, NoWait: true}))
	}
	if n := runtime.NumGoroutine(); n > before+100 {
		t.Errorf("%d goroutines after 500 requests, before %d", n, before)
	}
	p.made.Close()
}

// TestOrdered wants programs that the provider ends itself to go on after an interrupt,
// and to be killed at the second signal.
func TestOrdered(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, allowShell)
	hard, stop := context.WithCancel(t.Context())
	defer stop()
	soft, interrupt := context.WithCancelCause(t.Context())
	ctx := Lingering(soft, hard)
	call := func(operation, request string) []byte { return g.Call(ctx, operation, []byte(request)) }
	start := func(text string) int {
		return hosttest.As[abi.ProcessStartResult](t, hosttest.Reply(t, call(abi.OpProcessStart, `{"argv":["sh","-c","`+text+`"],"ordered":true,"ready":{"log":"up"}}`))).ID
	}
	next := func() abi.ProcessWaitResult {
		return hosttest.As[abi.ProcessWaitResult](t, hosttest.Reply(t, call(abi.OpProcessWait, `{}`)))
	}
	polite := start("trap 'exit 4' QUIT; echo up; while :; do sleep 0.01; done")
	rude := start("trap '' INT TERM; echo up; while :; do sleep 0.01; done")
	for range 2 {
		if got := next(); got.Ready == nil {
			t.Fatalf("got %+v", got)
		}
	}
	second := make(chan struct{})
	interrupt(Interrupt(syscall.SIGINT, second))
	if got := next(); !got.Interrupted {
		t.Errorf("got %+v, want the interrupt", got)
	}
	if got := hosttest.As[abi.ProcessWaitResult](t, hosttest.Reply(t, call(abi.OpProcessWait, `{"timeout_ms":1,"clock":true}`))); !got.TimedOut || got.WaitedMS < 1 {
		t.Errorf("got %+v: the programs were not left to the provider", got)
	}
	call(abi.OpProcessStop, fmt.Sprintf(`{"id":%d,"signal":"SIGQUIT","no_wait":true}`, polite))
	if got := next(); got.Exited == nil || got.Exited.ID != polite || got.Exited.ExitCode != 4 {
		t.Errorf("got %+v", got)
	}
	call(abi.OpProcessStop, fmt.Sprintf(`{"id":%d,"no_wait":true}`, rude))
	close(second)
	if got := next(); got.Exited == nil || got.Exited.ID != rude || got.Exited.Signal != "SIGKILL" {
		t.Errorf("got %+v", got)
	}
}

// TestOrderedIsKilled wants the second signal to kill programs that the provider has not
// stopped.
func TestOrderedIsKilled(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, allowShell)
	soft, interrupt := context.WithCancelCause(t.Context())
	ctx := Lingering(soft, t.Context())
	reply := g.Call(ctx, abi.OpProcessStart, []byte(`{"argv":["sh","-c","trap '' INT TERM; echo up; while :; do sleep 0.01; done"],"ordered":true,"ready":{"log":"up"}}`))
	hosttest.As[abi.ProcessStartResult](t, hosttest.Reply(t, reply))
	next := func() abi.ProcessWaitResult {
		return hosttest.As[abi.ProcessWaitResult](t, hosttest.Reply(t, g.Call(ctx, abi.OpProcessWait, []byte(`{}`))))
	}
	next()
	second := make(chan struct{})
	interrupt(Interrupt(syscall.SIGINT, second))
	next()
	close(second)
	if got := next(); got.Exited == nil || got.Exited.Signal != "SIGKILL" {
		t.Errorf("got %+v", got)
	}
}

// TestPlannedProcesses wants a plan to go on to the end of the run: programs become
// ready, those that end by themselves succeed, and the others run until the run is asked
// to end.
func TestPlannedProcesses(t *testing.T) {
	p := newProject(t, nil)
	p.Serves = true
	g := p.conducted(t, allowServers, func(o *hostfuncs.GateOptions) { o.Plan = new(hostfuncs.Plan) })
	start := func(q abi.ProcessStartRequest) int {
		q.Argv = []string{"true"}
		return hosttest.As[abi.ProcessStartResult](t, hosttest.Call(t, g, abi.OpProcessStart, q)).ID
	}
	db := start(abi.ProcessStartRequest{Ready: &abi.Ready{TCP: 1}})
	migrate := start(abi.ProcessStartRequest{Ends: true})
	want := []abi.ProcessWaitResult{
		{Ready: &abi.ProcessReady{ID: db}}, {Exited: &abi.ProcessExit{ID: migrate}}, {Interrupted: true}, {Exited: &abi.ProcessExit{ID: db, Interrupted: true}},
	}
	var got []abi.ProcessWaitResult
	for range want {
		got = append(got, wait(t, g, abi.ProcessWaitRequest{}))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestKeys wants what the user types to be a key of the provider, or a message.
func TestKeys(t *testing.T) {
	p := newProject(t, nil)
	var told []string
	p.Tell = func(_ abi.Level, message string) { told = append(told, message) }
	p.gate(t, allowShell)
	keys := []abi.Key{{Key: "r", Argument: "NAME", Help: "restarts NAME"}, {Key: "q", Help: "ends"}}
	for line, want := range map[string]abi.TypedKey{
		"": {}, "  ": {}, "q": {Key: "q"}, " r  web ": {Key: "r", Argument: "web"}, "r\x1b[2J web": {Key: "r", Argument: "web"},
		"r": {}, "r a b": {}, "q x": {}, "x": {}, "?": {}, "quit": {},
	} {
		if got, ok := p.made.typed(line, keys); got != want || ok != (want != abi.TypedKey{}) {
			t.Errorf("%q: got %+v, %v", line, got, ok)
		}
	}
	for _, want := range []string{
		`expected "r NAME", got "r"`, `expected "r NAME", got "r a b"`, `expected "q", got "q x"`, `unknown key "x": type ? and Enter to see the keys`,
		`unknown key "quit": type ? and Enter to see the keys`, "keys, each with Enter:\n  r NAME   restarts NAME\n  q        ends\n  Ctrl-C   ends all; twice kills them",
	} {
		if !strings.Contains(strings.Join(told, "\n\n"), want) {
			t.Errorf("no message %q in %q", want, told)
		}
	}
	g := p.gate(t, allowShell)
	script(t, g, "exec sleep 60", nil)
	for _, keys := range [][]abi.Key{{{Key: "?"}}, {{Key: "aa"}}, {{Key: ""}}, {{Key: "a"}, {Key: "a"}}} {
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{Keys: keys}), abi.CodeInvalid, "is not a key")
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{Keys: make([]abi.Key, abi.MaxKeys+1)}), abi.CodeTooLarge, "17 keys")
}

// TestWaitForTime wants a wait without programs to be a pause.
func TestWaitForTime(t *testing.T) {
	p := newProject(t, nil)
	g := p.gate(t, allowShell)
	begun := time.Now()
	if got := wait(t, g, abi.ProcessWaitRequest{TimeoutMS: 20, Clock: true}); !got.TimedOut || got.WaitedMS < 20 || time.Since(begun) < 20*time.Millisecond {
		t.Errorf("got %+v", got)
	}
}
