package worker

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// serving runs a worker in this process, and returns the host's side of its connection.
func serving(t *testing.T, module string) (host *frame.Conn, served <-chan error) {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("..", "testdata", module+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	toWorker, fromHost := io.Pipe()
	toHost, fromWorker := io.Pipe()
	conn := frame.NewConn(toWorker, fromWorker)
	w := &worker{conn: conn, output: &output{conn: conn}}
	done := make(chan error, 1)
	go func() {
		done <- w.serve()
		fromWorker.Close()
	}()
	t.Cleanup(func() { fromHost.Close() })
	host = frame.NewConn(toHost, fromHost)
	must(t, host.Send(frame.Load, frame.LoadBody{Pages: 64, Operations: abi.Operations(), Module: wasm}.Parts()...))
	receive(t, host, frame.Reply)
	must(t, host.Send(frame.Start))
	return host, done
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, host *frame.Conn, kind frame.Kind) string {
	t.Helper()
	_, body, err := host.Receive(kind)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func call(t *testing.T, host *frame.Conn, export, input string) {
	t.Helper()
	must(t, host.Send(frame.Call, frame.CallBody{Export: export, Input: []byte(input)}.Parts()...))
}

// TestVariables expects the variables of a plug-in to last from call to call.
func TestVariables(t *testing.T) {
	host, _ := serving(t, "vars")
	receive(t, host, frame.Reply)
	for _, c := range []struct{ export, input, want string }{
		{"validate", "", ""},
		{"dev", "some text", ""},
		{"validate", "", "some text"},
		{"validate", "", ""},
		{"dev", strings.Repeat("x", 1<<18), ""},
		{"dev", strings.Repeat("y", 1<<18), ""},
		{"validate", "", strings.Repeat("y", 1<<18)},
		{"describe", "", ""},
	} {
		call(t, host, c.export, c.input)
		if got := receive(t, host, frame.Reply); got != c.want {
			t.Errorf("%s: got %.20q, want %.20q", c.export, got, c.want)
		}
	}
}

// TestEnds has calls that end a plug-in.
func TestEnds(t *testing.T) {
	for name, tt := range map[string]struct{ module, export, input, want string }{
		"an error":         {"vars", "build_docker", "", "v"},
		"too much to keep": {"vars", "dev", strings.Repeat("x", 1<<20), "Variable store is full"},
		"no such function": {"vars", "none", "", "unknown function: none"},
		"a trap":           {"trap", "dev", "", "unreachable"},
		"a bad offset":     {"bad-offset-last", "dev", "", "it made a host call with an invalid offset"},
	} {
		host, served := serving(t, tt.module)
		receive(t, host, frame.Reply)
		call(t, host, tt.export, tt.input)
		go func() { _, _, _ = host.Receive(frame.Reply) }()
		if err := <-served; err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// TestAsksEarly has a module that calls the host in its start section.
func TestAsksEarly(t *testing.T) {
	_, served := serving(t, "asks-early")
	if err := <-served; err == nil || err.Error() != "it called the host in its start section" {
		t.Errorf("got %v", err)
	}
}

// TestHostGone expects a worker to end with its connection in every phase.
func TestHostGone(t *testing.T) {
	var out strings.Builder
	for name, sent := range map[string]string{
		"at once":  "",
		"cut":      "L\x05\x00\x00\x00ab",
		"disorder": "C\x00\x00\x00\x00",
		"damaged":  "L\x00\x00\x00\x00",
	} {
		conn := frame.NewConn(strings.NewReader(sent), &out)
		w := &worker{conn: conn, output: &output{conn: conn}}
		if err := w.serve(); err == nil {
			t.Errorf("%s: it did not end", name)
		}
	}
}

// TestErrorsHaveText expects an exit frame with the kind and the text of an error.
func TestErrorsHaveText(t *testing.T) {
	w := new(worker)
	for want, err := range map[frame.ExitBody]error{
		{Why: frame.CannotLoad, Reason: "a"}: &loadError{"a"},
		{Why: frame.Crashed, Reason: "b"}:    &crashError{"b"},
		{Why: frame.Failed, Reason: "EOF"}:   io.EOF,
	} {
		if got := w.exit(err); got != want {
			t.Errorf("%v: got %+v", err, got)
		}
	}
}
