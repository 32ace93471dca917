package backendtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backendtest"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/settings"
)

type command struct{}

type config struct {
	Argv []string `json:"argv"`
}

func (command) ID() string { return "command" }

func (command) Validate(_ context.Context, opts backend.ValidateOptions) error {
	_, err := parse(opts.Config)
	return err
}

func (command) Dev(ctx context.Context, opts backend.DevOptions) error {
	cfg, err := parse(opts.Config)
	if err != nil {
		return err
	}
	_, err = backend.Run(ctx, abi.ExecRequest{Argv: cfg.Argv})
	return err
}

func (command) BuildDocker(ctx context.Context, opts backend.BuildDockerOptions) (string, error) {
	res, err := backend.DockerBuild(ctx, abi.DockerBuildRequest{Context: ".", Tags: []string{opts.ImageTag}})
	return res.Image, err
}

func parse(data []byte) (config, error) {
	var cfg config
	if err := settings.Decode(data, &cfg); err != nil {
		return cfg, err
	}
	if len(cfg.Argv) == 0 {
		return cfg, abi.Invalid(abi.Problem{Pointer: "/argv", Message: "is required"})
	}
	return cfg, nil
}

// The conformance suite, as the test of a provider runs it.
func TestConformance(t *testing.T) {
	backendtest.Run(t, backendtest.Subject{
		Open:         backendtest.InGo(command{}),
		ID:           "command",
		Dev:          `{"argv": ["npm", "start"]}`,
		ExecRequest:  `{"argv":["npm","start"]}`,
		Build:        `{}`,
		BuildRequest: `{"context":".","tags":["shop:1"]}`,
		Wrong:        map[string]string{`{}`: "argv: is required"},
	})
}

func ExampleHost() {
	host := &backendtest.Host{Answers: map[string]abi.Reply{abi.OpExec: {OK: abi.JSON(`{"exit_code": 1}`)}}}
	ctx := backend.WithHost(context.Background(), host)
	err := command{}.Dev(ctx, backend.DevOptions{Config: abi.JSON(`{"argv": ["npm", "start"]}`)})
	fmt.Println(host.Calls)
	fmt.Println(err)
	// Output:
	// [{exec {"argv":["npm","start"]}}]
	// npm: exit status 1
}
