package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// author is a provider as an author could write it.
type author struct {
	dev   func(context.Context, DevOptions) error
	build func(context.Context, BuildDockerOptions) (string, error)
}

func (author) ID() string { return "mine" }
func (a author) Dev(ctx context.Context, o DevOptions) error {
	return a.dev(ctx, o)
}
func (a author) BuildDocker(ctx context.Context, o BuildDockerOptions) (string, error) {
	return a.build(ctx, o)
}

func handle(t *testing.T, p Provider, export, input string) abi.Reply {
	t.Helper()
	var reply abi.Reply
	if err := json.Unmarshal(Handle(t.Context(), p, export, []byte(input)), &reply); err != nil {
		t.Fatal(err)
	}
	if (reply.OK == nil) == (reply.Error == nil) {
		t.Fatalf("neither or both of ok and error: %+v", reply)
	}
	return reply
}

func TestHandleErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want abi.Error
	}{
		"plain":   {errors.New("no luck"), abi.Error{Code: abi.CodeFailed, Message: "no luck"}},
		"exit":    {fmt.Errorf("server: %w", &ExitError{"npm: exit status 7", 7}), abi.Error{Code: abi.CodeFailed, Message: "server: npm: exit status 7", ExitCode: 7}},
		"wrapped": {fmt.Errorf("start: %w", &abi.Error{Code: abi.CodeDenied, Message: "not that", Hint: "ask"}), abi.Error{Code: abi.CodeDenied, Message: "start: not that", Hint: "ask"}},
	} {
		reply := handle(t, author{dev: func(context.Context, DevOptions) error { return tt.err }}, abi.ExportDev, `{}`)
		got := *reply.Error
		if got.Code != tt.want.Code || got.Message != tt.want.Message || got.Hint != tt.want.Hint || got.ExitCode != tt.want.ExitCode {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestHandle(t *testing.T) {
	p := author{
		dev:   func(context.Context, DevOptions) error { panic("oh") },
		build: func(_ context.Context, o BuildDockerOptions) (string, error) { return o.ImageTag, nil },
	}
	for _, tt := range []struct{ export, input, want string }{
		{abi.ExportDescribe, ``, `{"id":"mine","version":"","abi":1,"capabilities":{}}`},
		{abi.ExportValidate, `{"config":{}}`, `{}`},
		{abi.ExportBuildDocker, `{"image_tag":"shop:1"}`, `{"image":"shop:1"}`},
	} {
		if got := handle(t, p, tt.export, tt.input); string(got.OK) != tt.want {
			t.Errorf("%s: got %s %v, want %s", tt.export, got.OK, got.Error, tt.want)
		}
	}
	for _, tt := range []struct{ export, input, want string }{
		{abi.ExportDev, `{}`, "panic: oh"},
		{abi.ExportDev, `[`, "options: unexpected end of JSON input"},
		{"other", ``, `no export "other"`},
	} {
		if got := handle(t, p, tt.export, tt.input); got.Error == nil || got.Error.Message != tt.want {
			t.Errorf("%s %s: got %+v, want %s", tt.export, tt.input, got.Error, tt.want)
		}
	}
	if got := handle(t, nil, abi.ExportDev, `{}`); got.Error == nil || !strings.Contains(got.Error.Message, "backend.Register") {
		t.Errorf("no provider: %+v", got.Error)
	}
}

func TestRegister(t *testing.T) {
	defer func() { registered = nil }()
	for name, register := range map[string]func(){
		"two": func() { Register(author{}); Register(author{}) },
		"nil": func() { Register(nil) },
	} {
		registered = nil
		register()
		if got := handle(t, registered, abi.ExportDev, `{}`); got.Error == nil || !strings.Contains(got.Error.Message, "a module registers one provider, once") {
			t.Errorf("%s: %+v", name, got.Error)
		}
	}
	registered = nil
	Register(author{})
	if registered.ID() != "mine" {
		t.Error("not registered")
	}
}

// answers is a host that says the same to everything.
type answers string

func (a answers) Call(context.Context, string, []byte) []byte { return []byte(a) }

func TestRun(t *testing.T) {
	req := abi.ExecRequest{Argv: []string{"npm"}}
	for reply, want := range map[string]string{
		`{"ok":{"exit_code":0}}`:                                        "",
		`{"ok":{"exit_code":3}}`:                                        "npm: exit status 3",
		`{"ok":{"exit_code":137,"signal":"SIGKILL"}}`:                   "npm: ended by SIGKILL",
		`{"ok":{"exit_code":130,"signal":"SIGINT","interrupted":true}}`: "npm: ended by SIGINT",
		`{"ok":{"exit_code":2,"interrupted":true}}`:                     "npm: exit status 2",
		`{"error":{"code":"denied","message":"not that"}}`:              "not that",
		`hello`:     "exec: the host's reply is not JSON",
		`{"ok":[]}`: "exec: the host's reply",
	} {
		_, err := Run(WithHost(t.Context(), answers(reply)), req)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", reply, err, want)
		}
		e, ok := errors.AsType[*abi.Error](err)
		if strings.Contains(reply, "SIGINT") && (!ok || e.Code != abi.CodeInterrupted) {
			t.Errorf("%s: got %#v, want interrupted", reply, err)
		}
	}
}

func TestOperations(t *testing.T) {
	ctx := WithHost(t.Context(), answers(`{"ok":{"image":"a:1","data":"aGk=","name":"f","entries":[{"name":"x"}],"states":{"A":"set"}}}`))
	if res, err := DockerBuild(ctx, abi.DockerBuildRequest{}); err != nil || res.Image != "a:1" {
		t.Error(res, err)
	}
	if data, err := ReadFile(ctx, "f"); err != nil || string(data) != "hi" {
		t.Error(data, err)
	}
	if info, err := Stat(ctx, "f"); err != nil || info.Name != "f" {
		t.Error(info, err)
	}
	if entries, err := List(ctx, "."); err != nil || len(entries) != 1 {
		t.Error(entries, err)
	}
	if states, err := EnvStatus(ctx, "A"); err != nil || states["A"] != abi.EnvSet {
		t.Error(states, err)
	}
	Log(ctx, abi.LevelInfo, "hello")
	if _, err := Exec(context.Background(), abi.ExecRequest{}); err == nil || !strings.Contains(err.Error(), "backend.WithHost") {
		t.Errorf("without a host: %v", err)
	}
}
