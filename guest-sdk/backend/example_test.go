package backend_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backendtest"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/settings"
)

// npm is a whole provider: it runs a script of package.json, and builds the
// image of the project's Dockerfile.
type npm struct{}

type config struct {
	Script string `json:"script"`
}

func (*npm) ID() string { return "npm" }

func (*npm) Dev(ctx context.Context, opts backend.DevOptions) error {
	var cfg config
	if err := settings.Decode(opts.Config, &cfg); err != nil {
		return err
	}
	if cfg.Script == "" {
		return abi.Invalid(abi.Problem{Pointer: "/script", Message: "is required"})
	}
	_, err := backend.Run(ctx, abi.ExecRequest{Argv: []string{"npm", "run", cfg.Script}})
	return err
}

func (*npm) BuildDocker(ctx context.Context, opts backend.BuildDockerOptions) (string, error) {
	built, err := backend.DockerBuild(ctx, abi.DockerBuildRequest{Context: ".", Tags: []string{opts.ImageTag}, Push: opts.Push})
	return built.Image, err
}

// A provider outside of Wasm, with a host that records what it requests. In a
// module, an init function calls backend.Register(new(npm)) and main is empty.
func Example() {
	host := new(backendtest.Host)
	ctx := backend.WithHost(context.Background(), host)
	err := new(npm).Dev(ctx, backend.DevOptions{Config: abi.JSON(`{"script": "dev"}`)})
	fmt.Println(host.Calls, err)
	err = new(npm).Dev(ctx, backend.DevOptions{Config: abi.JSON(`{"skript": "dev"}`)})
	fmt.Println(err)
	// Output:
	// [{exec {"argv":["npm","run","dev"]}}] <nil>
	// skript: unknown key
}

func ExampleRegister() {
	backend.Register(new(npm))
	// Output:
}

func ExampleHandle() {
	ctx := backend.WithHost(context.Background(), new(backendtest.Host))
	fmt.Printf("%s\n", backend.Handle(ctx, new(npm), abi.ExportDescribe, nil))
	fmt.Printf("%s\n", backend.Handle(ctx, new(npm), abi.ExportDev, []byte(`{"config": {}}`)))
	// Output:
	// {"ok":{"id":"npm","version":"","abi":1,"capabilities":{}}}
	// {"error":{"code":"invalid","message":"script: is required","problems":[{"pointer":"/script","message":"is required"}]}}
}

// replies returns a context whose host replies to one operation with JSON.
func replies(operation, ok string) context.Context {
	return backend.WithHost(context.Background(), &backendtest.Host{
		Answers: map[string]abi.Reply{operation: {OK: abi.JSON(ok)}},
	})
}

// An operation that the policy denies is an error with a code.
func ExampleWithHost() {
	ctx := backend.WithHost(context.Background(), &backendtest.Host{Answers: map[string]abi.Reply{
		abi.OpReadFile: {Error: abi.NewError(abi.CodeDenied, "denied: read .env")},
	}})
	_, err := backend.ReadFile(ctx, ".env")
	e, ok := errors.AsType[*abi.Error](err)
	fmt.Println(ok, e.Code, err)
	// Output: true denied denied: read .env
}

func ExampleExec() {
	ctx := replies(abi.OpExec, `{"exit_code": 1, "stdout": "v24.1.0\n"}`)
	res, err := backend.Exec(ctx, abi.ExecRequest{Argv: []string{"node", "--version"}, Capture: true})
	fmt.Printf("%d %q %v\n", res.ExitCode, res.Stdout, err)
	// Output: 1 "v24.1.0\n" <nil>
}

func ExampleRun() {
	ctx := replies(abi.OpExec, `{"exit_code": 3}`)
	_, err := backend.Run(ctx, abi.ExecRequest{Argv: []string{"npm", "test"}})
	exit, ok := errors.AsType[*backend.ExitError](err)
	fmt.Println(ok, exit.Code, exit.Error())
	// Output: true 3 npm: exit status 3
}

func ExampleStart() {
	ctx := replies(abi.OpProcessStart, `{"id": 1}`)
	id, err := backend.Start(ctx, abi.ProcessStartRequest{Argv: []string{"npm", "run", "dev"}, Watch: []string{"listening on"}})
	fmt.Println(id, err)
	// Output: 1 <nil>
}

func ExampleWait() {
	ctx := replies(abi.OpProcessWait, `{"seen": {"id": 1, "line": "listening on :3000"}}`)
	res, err := backend.Wait(ctx, abi.ProcessWaitRequest{IDs: []int{1}, TimeoutMS: 10_000})
	switch {
	case err != nil:
		fmt.Println(err)
	case res.Seen != nil:
		fmt.Println("ready:", res.Seen.Line)
	case res.Exited != nil:
		fmt.Println("exit status", res.Exited.ExitCode)
	case res.TimedOut:
		fmt.Println("not ready after 10s")
	}
	// Output: ready: listening on :3000
}

func ExampleStop() {
	ctx := replies(abi.OpProcessStop, `{"id": 1, "exit_code": 143, "signal": "SIGTERM"}`)
	exit, err := backend.Stop(ctx, abi.ProcessStopRequest{ID: 1, GraceMS: 2_000})
	fmt.Println(exit.Signal, err)
	// Output: SIGTERM <nil>
}

func ExampleReady() {
	host := new(backendtest.Host)
	ctx := backend.WithHost(context.Background(), host)
	err := backend.Ready(ctx, abi.ReadyProcess{Name: "web", URL: "http://localhost:3000"}, abi.ReadyProcess{Name: "db"})
	fmt.Println(host.Calls[0].Request, err)
	// Output: {"processes":[{"name":"web","url":"http://localhost:3000"},{"name":"db"}]} <nil>
}

func ExampleProbe() {
	ctx := replies(abi.OpProbe, `{"answers": true, "status": 200}`)
	res, err := backend.Probe(ctx, abi.ProbeRequest{Address: "localhost:3000", Path: "/healthz", TimeoutMS: 5_000})
	fmt.Println(res.Answers, res.Status, err)
	// Output: true 200 <nil>
}

func ExampleDockerBuild() {
	ctx := replies(abi.OpDockerBuild, `{"image": "shop:1", "id": "sha256:4d55fcb"}`)
	res, err := backend.DockerBuild(ctx, abi.DockerBuildRequest{
		Context: ".", Tags: []string{"shop:1"}, Secrets: map[string]abi.Value{"npm": abi.EnvRef("NPM_TOKEN", ".env")},
	})
	fmt.Println(res.Image, res.ID, err)
	// Output: shop:1 sha256:4d55fcb <nil>
}

func ExampleImage() {
	ctx := replies(abi.OpDockerImage, `{"image": "shop:1", "id": "sha256:4d55fcb"}`)
	res, err := backend.Image(ctx, "shop:1")
	fmt.Println(res.ID, err)
	// Output: sha256:4d55fcb <nil>
}

func ExampleWatch() {
	ctx := replies(abi.OpWatch, `{"id": 3}`)
	id, err := backend.Watch(ctx, abi.WatchRequest{Paths: []string{"src/**"}, Ignore: []string{"**/*.test.ts"}})
	fmt.Println(id, err)
	// Output: 3 <nil>
}

func ExampleReadFile() {
	ctx := replies(abi.OpReadFile, `{"data": "e30="}`)
	data, err := backend.ReadFile(ctx, "package.json")
	fmt.Printf("%s %v\n", data, err)
	// Output: {} <nil>
}

func ExampleStat() {
	ctx := replies(abi.OpStat, `{"name": "package.json", "size": 2}`)
	info, err := backend.Stat(ctx, "package.json")
	fmt.Println(info.Size, info.Dir, err)
	// Output: 2 false <nil>
}

func ExampleList() {
	ctx := replies(abi.OpList, `{"entries": [{"name": "main.ts", "size": 120}, {"name": "shop", "dir": true}]}`)
	entries, err := backend.List(ctx, "src")
	for _, entry := range entries {
		fmt.Println(entry.Name, entry.Dir)
	}
	fmt.Println(err)
	// Output:
	// main.ts false
	// shop true
	// <nil>
}

func ExampleGitFileAbove() {
	ctx := replies(abi.OpStat, `{"name": ".git"}`)
	above, err := backend.GitFileAbove(ctx)
	fmt.Println(above, err)
	// Output: true <nil>
}

func ExampleEnvStatus() {
	ctx := replies(abi.OpEnvStatus, `{"states": {"PORT": "set"}}`)
	states, err := backend.EnvStatus(ctx, "PORT")
	fmt.Println(states["PORT"] == abi.EnvSet, err)
	// Output: true <nil>
}

func ExampleEnvStatusIn() {
	ctx := replies(abi.OpEnvStatus, `{"states": {"API_KEY": "missing"}}`)
	states, err := backend.EnvStatusIn(ctx, []string{".env", ".env.local"}, "API_KEY")
	fmt.Println(states["API_KEY"], err)
	// Output: missing <nil>
}

func ExampleLog() {
	host := new(backendtest.Host)
	backend.Log(backend.WithHost(context.Background(), host), abi.LevelWarn, "port 3000 is in use")
	fmt.Println(host.Calls[0].Request)
	// Output: {"level":"warn","message":"port 3000 is in use"}
}
