package main

import (
	"context"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	guest "github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/backend/backendtest"
)

var subject = backendtest.Subject{
	ID:           "generic",
	Dev:          `{"dev":{"command":["npm","run","dev"],"workdir":"./backend","env":{"NODE_ENV":"development"}}}`,
	ExecRequest:  `{"argv":["npm","run","dev"],"dir":"./backend","env":{"NODE_ENV":"development"}}`,
	Build:        `{"dev":{"command":["x"],"workdir":"./backend"}}`,
	BuildRequest: `{"context":"./backend","tags":["shop:1"]}`,
	Wrong: map[string]string{
		`{}`:                         "dev.command: is required",
		`{"dev":{"command":[]}}`:     "dev.command: is required",
		`{"dev":{"command":[""]}}`:   "dev.command[0]: is an empty string, expected a program",
		`{"dev":{"command":"npm"}}`:  "dev.command: is a string, expected a list, each item a string",
		`{"dev":{"comand":["npm"]}}`: "dev.comand: is not known here",
		`{"dev":{"command":["a"],"workdir":"../x"},"build":{"context":"/","dockerfile":"a/../../b"}}`: "dev.workdir: \"../x\" leaves the project folder\n" +
			"build.dockerfile: \"a/../../b\" leaves the project folder\nbuild.context: \"/\" leaves the project folder",
		`{"dev":{"command":["a"],"env":{"A":1}},"build":{"context":[]}}`: "build.context: is a list, expected a string\ndev.env.A: is the number 1, expected a string",
	},
}

// inGo is the provider as a Go value.
type inGo struct{ host guest.Host }

func (g inGo) Call(ctx context.Context, export string, input []byte) ([]byte, error) {
	return guest.Handle(guest.WithHost(ctx, g.host), new(Provider), export, input), nil
}

func TestInGo(t *testing.T) {
	s := subject
	s.Open = func(_ *testing.T, h *backendtest.Host) backend.Exports { return inGo{h} }
	backendtest.Run(t, s)
}

func TestInWasm(t *testing.T) {
	path, err := providertest.NewBuilder(t.TempDir()).Module("providers/generic")
	if err != nil {
		t.Fatal(err)
	}
	s := subject
	s.Open = backendtest.InWasm(t, path)
	backendtest.Run(t, s)
}

func TestEnvOverOptions(t *testing.T) {
	h := new(backendtest.Host)
	err := new(Provider).Dev(guest.WithHost(t.Context(), h), abi.DevOptions{
		Config: []byte(`{"dev":{"command":["x"],"env":{"A":"config"}}}`), Env: map[string]string{"A": "opts", "B": "opts"},
	})
	if want := `{"argv":["x"],"env":{"A":"config","B":"opts"}}`; err != nil || h.Calls[0].Request != want {
		t.Errorf("got %s, %v, want %s", h.Calls[0].Request, err, want)
	}
}

func TestBuildDefaults(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                           `{"context":".","tags":["t"],"push":true}`,
		`{"dev":{"workdir":"b"}}`:      `{"context":"b","tags":["t"],"push":true}`,
		`{"build":{"context":"c"}}`:    `{"context":"c","tags":["t"],"push":true}`,
		`{"build":{"dockerfile":"D"}}`: `{"context":".","dockerfile":"D","tags":["t"],"push":true}`,
		`{"dev":{"workdir":"b"},"build":{"context":"c"}}`: `{"context":"c","tags":["t"],"push":true}`,
	} {
		h := new(backendtest.Host)
		_, err := new(Provider).BuildDocker(guest.WithHost(t.Context(), h), abi.BuildDockerOptions{Config: []byte(config), ImageTag: "t", Push: true})
		if err != nil || h.Calls[0].Request != want {
			t.Errorf("%s: got %s, %v, want %s", config, h.Calls[0].Request, err, want)
		}
	}
}
