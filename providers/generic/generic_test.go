package main

import (
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backendtest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/sandboxtest"
)

var subject = backendtest.Subject{
	ID:           "generic",
	Dev:          `{"dev":{"command":["npm","run","dev"],"workdir":"./backend","env":{"NODE_ENV":"development"}}}`,
	ExecRequest:  `{"argv":["npm","run","dev"],"dir":"./backend","env":{"NODE_ENV":"development"}}`,
	Build:        `{"dev":{"command":["x"],"workdir":"./backend"}}`,
	BuildRequest: `{"context":"./backend","tags":["shop:1"]}`,
	Project:      map[string]string{"backend/package.json": `{"scripts":{"dev":"node server.js"}}`, "backend/server.js": "", "backend/Dockerfile": ""},
	Detects:      `{"dev":{"command":["npm","run","dev"],"workdir":"./backend"},"build":{"context":"./backend"}}`,
	Wrong: map[string]string{
		`{}`:                         "dev.command: is required",
		`{"dev":{"command":[]}}`:     "dev.command: is required",
		`{"dev":{"command":[""]}}`:   "dev.command[0]: is an empty string, expected a program",
		`{"dev":{"command":"npm"}}`:  "dev.command: is a string, expected a list, each item a string",
		`{"dev":{"comand":["npm"]}}`: "dev.comand: unknown key",
		`{"dev":{"command":["a"],"workdir":"../x"},"build":{"context":"/","dockerfile":"a/../../b"}}`: "dev.workdir: \"../x\" leaves the project directory\n" +
			"build.dockerfile: \"a/../../b\" leaves the project directory\nbuild.context: \"/\" leaves the project directory",
		`{"dev":{"command":["a"]},"build":{"network":"mine","args":{"A=b":"","B":""},"labels":{"":"x"},"platforms":[""],"cache_to":["a",""]}}`: "build.args.A=b: its name is empty or contains = or a line break\n" +
			"build.cache_to[1]: is empty\nbuild.labels.: its name is empty or contains = or a line break\nbuild.network: unknown network \"mine\"\nbuild.platforms[0]: is empty",
		`{"dev":{"command":["a"]},"build":{"secrets":{"a,b":{"env":"A"},"npm":{"files":["../x",""]}}}}`: "build.secrets.a,b: is not a secret ID\nbuild.secrets.npm.env: is required\n" +
			"build.secrets.npm.files[0]: \"../x\" leaves the project directory\nbuild.secrets.npm.files[1]: \"\" leaves the project directory",
		`{"dev":{"command":["a"]},"build":{"secrets":{"npm":"text"}}}`:       "build.secrets.npm: is a string, expected a mapping",
		`{"dev":{"command":["a"]},"build":{"secrets":{"npm":{"file":"x"}}}}`: "build.secrets.npm.file: unknown key",
		`{"dev":{"command":["a"]},"build":{"args":{"A":1}}}`:                 "build.args.A: is the number 1, expected a string",
		`{"dev":{"command":["a"],"env":{"A":1}},"build":{"context":[]}}`:     "build.context: is a list, expected a string\ndev.env.A: expected a string or {\"env\": \"NAME\"}, with \"files\" or without",
		`{"dev":{"command":["a"],"env_files":["../x",""],"env":{"A":{"env":"A","files":["/x"]}}}}`: "dev.env_files[0]: \"../x\" leaves the project directory\n" +
			"dev.env_files[1]: \"\" leaves the project directory\ndev.env.A.files[0]: \"/x\" leaves the project directory",
		`{"dev":{"processes":{}}}`: "dev.processes: has 0 processes, expected 1 to 16",
		`{"dev":{"command":["a"],"workdir":"b","processes":{"a":{"command":["a"]}}}}`:             "dev.command: excludes dev.processes\ndev.workdir: excludes dev.processes",
		`{"dev":{"processes":{"a b":{"command":["a"]},"b":{},"c":{"command":["a"],"comand":1}}}}`: "dev.processes.c.comand: unknown key",
		`{"dev":{"processes":{"a b":{"command":["a"]},"b":{"workdir":".."}}}}`: "dev.processes.a b: \"a b\" is not a name for a process\n" +
			"dev.processes.b.command: is required\ndev.processes.b.workdir: \"..\" leaves the project directory",
		`{"dev":{"processes":{"a":{"command":["a"],"depends_on":{"c":"ready","b":"done"}},"b":{"command":["b"],"depends_on":{"a":"redy"}}}}}`: "" +
			"dev.processes.a.depends_on.b: b does not end by itself\ndev.processes.a.depends_on.c: unknown process \"c\"\n" +
			"dev.processes.b.depends_on.a: unknown value \"redy\"\ndev.processes.b.depends_on.a: is a cycle: a needs b needs a",
		`{"dev":{"processes":{"a":{"command":["a"],"once":true},"b":{"command":["b"],"depends_on":{"a":"ready"}}}}}`: "dev.processes.b.depends_on.a: a ends by itself and has no ready",
		`{"dev":{"processes":{"a":{"command":["a"],"ready":{}},"b":{"command":["b"],"ready":{"tcp":70000,"http":{"path":"x","status":99},"timeout":"2h"}},"c":{"command":["c"],"ready":{"exec":[]}}}}}`: "" +
			"dev.processes.a.ready: has 0 conditions, expected one of tcp, http, log and exec\ndev.processes.b.ready: has 2 conditions, expected one of tcp, http, log and exec\n" +
			"dev.processes.b.ready.tcp: 70000 is not a port\ndev.processes.b.ready.http.port: 0 is not a port\ndev.processes.b.ready.http.path: \"x\" is not a path\n" +
			"dev.processes.b.ready.http.status: 99 is not an HTTP status\ndev.processes.b.ready.timeout: \"2h\" is more than 1h0m0s\ndev.processes.c.ready.exec: is empty, expected a program and its arguments",
		`{"dev":{"processes":{"a":{"command":["a"],"stop":{"signal":"SIGKIL","grace":"20s"},"restart":{"max":0},"url":"localhost"},"b":{"command":["b"],"restart":{"when":"always","backoff":"1"}}}}}`: "" +
			"dev.processes.a.stop.signal: unknown value \"SIGKIL\"\ndev.processes.a.stop.grace: \"20s\" is more than 10s\n" +
			"dev.processes.a.restart: has max or backoff but never restarts\ndev.processes.a.restart.max: 0 is not from 1 to 1000\n" +
			"dev.processes.a.url: \"localhost\" is not a URL\ndev.processes.b.restart.backoff: \"1\" is not a duration",
	},
}

func TestInGo(t *testing.T) {
	s := subject
	s.Open = backendtest.InGo(new(Provider))
	backendtest.Run(t, s)
}

func TestInWasm(t *testing.T) {
	path, err := providertest.NewBuilder(t.TempDir()).Module("providers/generic")
	if err != nil {
		t.Fatal(err)
	}
	s := subject
	s.Open = sandboxtest.InWasm(t, path)
	backendtest.Run(t, s)
	t.Run("fixtures", func(t *testing.T) { detectInWasm(t, s.Open) })
}

// TestOnlyBuilds wants a project that only builds to be right, and dev to say what it
// lacks.
func TestOnlyBuilds(t *testing.T) {
	ctx := backend.WithHost(t.Context(), new(backendtest.Host))
	const config = `{"build":{"context":"."}}`
	if err := new(Provider).Validate(ctx, abi.ValidateOptions{Config: []byte(config)}); err != nil {
		t.Error(err)
	}
	err := new(Provider).Dev(ctx, abi.DevOptions{Config: []byte(config)})
	if err == nil || err.Error() != "dev: is required" {
		t.Errorf("got %v", err)
	}
}

func TestEnvOverOptions(t *testing.T) {
	h := new(backendtest.Host)
	err := new(Provider).Dev(backend.WithHost(t.Context(), h), abi.DevOptions{
		Config: []byte(`{"dev":{"command":["x"],"env":{"A":"config"}}}`), Env: map[string]string{"A": "opts", "B": "opts"},
	})
	if want := `{"argv":["x"],"env_base":{"A":"opts","B":"opts"},"env":{"A":"config"}}`; err != nil || h.Calls[0].Request != want {
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
		`{"build":{"target":"t","args":{"A":"1"},"labels":{"l":"2"},"platforms":["linux/arm64"],"secrets":{"npm":{"env":"N","files":[".env"]},"aws":{"env":"A"}},` +
			`"cache_from":["f"],"cache_to":["t"],"network":"none"}}`: `{"context":".","tags":["t"],"args":{"A":"1"},"target":"t","network":"none","push":true,"labels":{"l":"2"},` +
			`"platforms":["linux/arm64"],"secrets":{"aws":{"env":"A"},"npm":{"env":"N","files":[".env"]}},"cache_from":["f"],"cache_to":["t"]}`,
	} {
		h := new(backendtest.Host)
		_, err := new(Provider).BuildDocker(backend.WithHost(t.Context(), h), abi.BuildDockerOptions{Config: []byte(config), ImageTag: "t", Push: true})
		if err != nil || h.Calls[0].Request != want {
			t.Errorf("%s: got %s, %v, want %s", config, h.Calls[0].Request, err, want)
		}
	}
}

// TestBuildPointers wants a wrong field of a request to be shown where the
// configuration has it.
func TestBuildPointers(t *testing.T) {
	for field, want := range map[string]string{
		"context": "/dev/workdir", "dockerfile": "/build/dockerfile", "labels": "/build/labels", "platforms": "/build/platforms",
		"secrets": "/build/secrets", "cache_from": "/build/cache_from", "cache_to": "/build/cache_to",
	} {
		if got := new(config).pointers()[field]; got != want {
			t.Errorf("%s is at %q, want %q", field, got, want)
		}
	}
	if got := (&config{Build: build{Context: "c"}}).pointers()["context"]; got != "/build/context" {
		t.Errorf("the context is at %q", got)
	}
}
