package exec

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

const allowShell = "version: 1\nproviders: {test: {exec: ['sh **', './run.sh **'], env: {pass: [GREETING, SECRET, UNSET]}}}"

func shell(script string) abi.ExecRequest {
	return abi.ExecRequest{Argv: []string{"sh", "-c", script}, Capture: true}
}

func TestExecCaptures(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{"sub/": ""})
	g := p.gate(t, allowShell)
	q := shell("echo out; echo err >&2; pwd; exit 7")
	q.Dir = "sub"
	got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q))
	want := abi.ExecResult{ExitCode: 7, Stdout: "out\n" + p.Root + "/sub\n", Stderr: "err\n"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	q = shell("printf 123456; printf '\\377' >&2")
	q.CaptureLimit = 3
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q)); got.Stdout != "123" || !got.Truncated || got.Stderr != "\uFFFD" {
		t.Errorf("got %+v", got)
	}
}

func TestExecStreams(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, nil)
	q := shell("echo out; echo err >&2; read x; echo $x")
	stdin := abi.Text("in\n")
	q.Capture, q.Stdin = false, &stdin
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, p.gate(t, allowShell), abi.OpExec, q)); got.Stdout != "" {
		t.Errorf("captured %q", got.Stdout)
	}
	if out, err := p.Stdout.(*strings.Builder).String(), p.Stderr.(*strings.Builder).String(); out != "out\nin\n" || err != "err\n" {
		t.Errorf("got %q and %q", out, err)
	}
}

func TestExecEnvironment(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, nil)
	p.Environ = []string{"PATH=" + os.Getenv("PATH"), "SECRET=s3cret", "OTHER=x", "GREETING=host's"}
	g := p.gate(t, allowShell)
	q := shell("echo $GREETING $COPY $OTHER; cat")
	stdin := abi.EnvRef("SECRET")
	q.Env = map[string]abi.Value{"GREETING": abi.Text("hello")}
	q.Stdin = &stdin
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q)); got.Stdout != "hello\n***" {
		t.Errorf("got %q", got.Stdout)
	}
	q.Env = map[string]abi.Value{"GREETING": abi.EnvRef("OTHER")}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, q), abi.CodeDenied, "with GREETING, OTHER, SECRET")
	q.Env = map[string]abi.Value{"GREETING": abi.EnvRef("UNSET")}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, q), abi.CodeNotFound, "variable UNSET is not set")
}

func TestExecRefuses(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{"file": "", "plain.sh": "#!/bin/sh\n"})
	if err := os.Chmod(filepath.Join(p.Root, "plain.sh"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['**'], env: {pass: ['*']}}}")
	for name, tt := range map[string]struct {
		request abi.ExecRequest
		code    abi.Code
		want    string
	}{
		"nothing":             {abi.ExecRequest{}, abi.CodeInvalid, "argv is empty"},
		"no program":          {abi.ExecRequest{Argv: []string{""}}, abi.CodeInvalid, "argv is empty"},
		"NUL in argv":         {abi.ExecRequest{Argv: []string{"true", "a\x00b"}}, abi.CodeInvalid, "NUL byte"},
		"NUL in a value":      {abi.ExecRequest{Argv: []string{"true"}, Env: map[string]abi.Value{"A": abi.Text("\x00")}}, abi.CodeInvalid, "invalid name or value"},
		"= in a name":         {abi.ExecRequest{Argv: []string{"true"}, Env: map[string]abi.Value{"A=B": abi.Text("")}}, abi.CodeInvalid, "invalid name or value"},
		"empty name":          {abi.ExecRequest{Argv: []string{"true"}, Env: map[string]abi.Value{"": abi.Text("")}}, abi.CodeInvalid, "invalid name or value"},
		"negative timeout":    {abi.ExecRequest{Argv: []string{"true"}, TimeoutMS: -1}, abi.CodeInvalid, "must not be negative"},
		"directory outside":   {abi.ExecRequest{Argv: []string{"true"}, Dir: ".."}, abi.CodeInvalid, `".." leaves the project directory`},
		"missing directory":   {abi.ExecRequest{Argv: []string{"true"}, Dir: "x"}, abi.CodeNotFound, `"x" does not exist in the project directory`},
		"file as a directory": {abi.ExecRequest{Argv: []string{"true"}, Dir: "file"}, abi.CodeInvalid, "is not a directory"},
		"unknown program":     {abi.ExecRequest{Argv: []string{"no-such-program"}}, abi.CodeNotFound, "no-such-program"},
		"loader variable":     {abi.ExecRequest{Argv: []string{"true"}, Env: map[string]abi.Value{"LD_PRELOAD": abi.Text("x")}}, abi.CodeDenied, "must be named in full"},
		"timeout":             {abi.ExecRequest{Argv: []string{"sleep", "60"}, Capture: true, TimeoutMS: 20}, abi.CodeTimeout, "did not end within 20ms"},
	} {
		t.Run(name, func(t *testing.T) {
			hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, tt.request), tt.code, tt.want)
		})
	}
}

func TestExecInterrupt(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, nil)
	g := p.gate(t, allowShell)
	ctx, cancel := context.WithCancelCause(t.Context())
	kill := make(chan struct{})
	ready := filepath.Join(p.Root, "ready")
	go func() {
		for {
			if _, err := os.Stat(ready); err == nil {
				cancel(Interrupt(os.Interrupt, kill))
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	request := []byte(`{"argv":["sh","-c","trap 'exit 0' INT; touch ready; while :; do sleep 0.01; done"],"capture":true}`)
	got := hosttest.As[abi.ExecResult](t, hosttest.Reply(t, g.Call(ctx, abi.OpExec, request)))
	if got.ExitCode != 0 || !got.Interrupted {
		t.Errorf("got %+v, want a program that ended well after an interrupt", got)
	}
}
