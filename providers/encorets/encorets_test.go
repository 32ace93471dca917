package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backendtest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/sandboxtest"
)

var subject = backendtest.Subject{
	ID:      "encore-ts",
	Project: map[string]string{"backend/encore.app": "{}", "backend/package.json": `{"dependencies":{"encore.dev":"1"}}`},
	Detects: `{"dev":{"entrypoint":"./backend"}}`,
	Wrong: map[string]string{
		`{}`:                            "dev.entrypoint: is required",
		`{"dev":{"entrypoint":1}}`:      "dev.entrypoint: is the number 1, expected a string",
		`{"dev":{"entrypoint":"../b"}}`: `dev.entrypoint: "../b" leaves the project directory`,
		`{"dev":{"entrypoint":"b","listen":"4000"}}`:         `dev.listen: "4000" is not an address: expected host:port`,
		`{"dev":{"entrypoint":"b","listen":"a:99999"}}`:      `dev.listen: "a:99999" is not an address: expected host:port`,
		`{"dev":{"entrypoint":"b","listen":"shop.lan:80"}}`:  `dev.listen: "shop.lan" is neither an IP address nor localhost`,
		`{"dev":{"entrypoint":"b","ready_timeout":"soon"}}`:  `dev.ready_timeout: "soon" is not a duration`,
		`{"dev":{"entrypoint":"b","ready_timeout":"-1s"}}`:   `dev.ready_timeout: "-1s" is not a duration`,
		`{"dev":{"entrypoint":"b","env_from":["a","/etc"]}}`: `dev.env_from[1]: "/etc" leaves the project directory`,
		`{"dev":{"entrypoint":"b","entrypont":"c"}}`:         `dev.entrypont: unknown key`,
		`{"dev":{"entrypoint":"b","secrets":{"types":["dev","lokal","development"],"from_env":["A","A-B","A"]}}}`: `dev.secrets.types[1]: unknown environment type "lokal"` + "\n" +
			"dev.secrets.types[2]: development is the same as dev\n" + `dev.secrets.from_env[1]: "A-B" is not a variable name` + "\ndev.secrets.from_env[2]: duplicate variable A",
		`{"dev":{"entrypoint":"b","secrets":{"from_env":["A"]}}}`: "dev.secrets.types: is required with from_env",
	},
}

func TestInGo(t *testing.T) {
	s := subject
	s.Open = backendtest.InGo(new(Provider))
	backendtest.Run(t, s)
}

func TestInWasm(t *testing.T) {
	path, err := providertest.NewBuilder(t.TempDir()).Module("providers/encorets")
	if err != nil {
		t.Fatal(err)
	}
	s := subject
	s.Open = sandboxtest.InWasm(t, path)
	backendtest.Run(t, s)
}

// host answers each operation in turn, and what nothing is said of with {}.
type host struct {
	answers map[string][]string // by operation; the last one stays
	calls   []string
}

func (h *host) Call(_ context.Context, operation string, request []byte) []byte {
	h.calls = append(h.calls, operation+" "+string(request))
	for _, key := range []string{operation + " " + string(request), operation} {
		if answers := h.answers[key]; len(answers) > 0 {
			if len(answers) > 1 {
				h.answers[key] = answers[1:]
			}
			return []byte(answers[0])
		}
	}
	return []byte(`{"ok":{}}`)
}

const missing = `{"error":{"code":"not_found","message":"it is not there"}}`

// newHost has an app in the directory backend, whose port is free until it runs.
func newHost(answers map[string][]string) *host {
	h := &host{answers: map[string][]string{
		abi.OpStat:                           {missing},
		`stat {"path":"backend/encore.app"}`: {`{"ok":{"name":"encore.app","size":1}}`},
		`stat {"path":".git"}`:               {`{"ok":{"name":".git","size":1,"dir":true}}`},
		abi.OpReadFile:                       {`{"ok":{"data":"eyJpZCI6ICJzaG9wLXh5In0="}}`}, // {"id": "shop-xy"}
		abi.OpProbe:                          {`{"ok":{"answers":false}}`, `{"ok":{"answers":true}}`, `{"ok":{"answers":false}}`},
		abi.OpEnvStatus:                      {`{"ok":{"states":{"DOMAIN":"set","API":"missing","EMPTY":"empty"}}}`},
		namespaceList:                        {`{"ok":{}}`},
		abi.OpProcessStart:                   {`{"ok":{"id":3}}`},
		abi.OpProcessWait:                    {`{"ok":{"interrupted":true}}`, `{"ok":{"exited":{"id":3,"exit_code":0,"interrupted":true}}}`},
	}}
	for key, list := range answers {
		h.answers[key] = list
	}
	return h
}

func (h *host) dev(t *testing.T, config string) error {
	t.Helper()
	return new(Provider).Dev(backend.WithHost(t.Context(), h), abi.DevOptions{Config: abi.JSON(config), Env: map[string]string{"FROM": "opts"}})
}

const devConfig = `{"dev":{"entrypoint":"./backend","listen":"0.0.0.0:4000","env_from":[".env","b/.env"],"node_extra_ca_certs":"./ca.pem",` +
	`"secrets":{"types":["dev","preview","local"],"from_env":["DOMAIN","API","EMPTY"]}}}`

// TestDev wants every call of a run, in its order: no value in any of them.
func TestDev(t *testing.T) {
	h := newHost(nil)
	err := h.dev(t, devConfig)
	if e, ok := errors.AsType[*abi.Error](err); !ok || e.Code != abi.CodeInterrupted {
		t.Errorf("got %v, want an interrupt", err)
	}
	const env = `"env":{"DISABLE_ENCORE_TELEMETRY":"1","NODE_EXTRA_CA_CERTS":"../ca.pem"}`
	want := []string{
		`stat {"path":"backend/encore.app"}`,
		`probe {"address":"127.0.0.1:4000","gone":true}`,
		namespaceList,
		`env_status {"names":["DOMAIN","API","EMPTY"],"files":[".env","b/.env"]}`,
		`log {"level":"warn","message":"the secret API is not synced: the variable is not set"}`,
		`log {"level":"warn","message":"the secret EMPTY is not synced: the variable is empty"}`,
		`read_file {"path":"backend/encore.app"}`,
		`exec {"argv":["encore","secret","set","--type","dev,preview,local","DOMAIN"],"dir":"backend",` + env +
			`,"stdin":{"env":"DOMAIN","files":[".env","b/.env"]},"capture":true,"timeout_ms":15000,"once":"secret shop-xy DOMAIN development local preview"}`,
		`log {"level":"info","message":"synced the secret DOMAIN for dev,preview,local"}`,
		`process_start {"argv":["encore","run","--listen","0.0.0.0:4000","--browser","never"],"dir":"backend","env_base":{"FROM":"opts"},` +
			`"env_files":[".env","b/.env"],` + env + `,"terminal":true,"watch":["Your API is running at:"]}`,
		`probe {"address":"127.0.0.1:4000","path":"/","timeout_ms":60000,"while":[3]}`,
		`ready {"processes":[{"url":"http://127.0.0.1:4000"}]}`,
		`process_wait {"ids":[3]}`,
		`process_wait {"ids":[3]}`,
		`probe {"address":"127.0.0.1:4000","gone":true,"timeout_ms":5000}`,
	}
	if diff := cmp.Diff(want, h.calls); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDevFails has what can go wrong, by its reason and what is said of it.
func TestDevFails(t *testing.T) {
	const plain = `{"dev":{"entrypoint":"backend"}}`
	for name, tt := range map[string]struct {
		config  string
		answers map[string][]string
		reason  string
		message string
		output  string
		never   string // a call that is not made
	}{
		"no app": {plain, map[string][]string{`stat {"path":"backend/encore.app"}`: {missing}}, invalidProject, `no encore.app in "backend" or a directory above it`, "", "process_start"},
		"a directory": {plain, map[string][]string{`stat {"path":"backend/encore.app"}`: {`{"ok":{"name":"encore.app","dir":true}}`}, `stat {"path":"encore.app"}`: {`{"ok":{"name":"encore.app"}}`}},
			invalidProject, "backend/encore.app is a directory, expected a file: encore looks no further up", "", "process_start"},
		"broken app": {devConfig, map[string][]string{abi.OpReadFile: {`{"ok":{"data":"ewogIGlkOiAxCn0="}}`}}, invalidProject, // {\n  id: 1\n}
			"backend/encore.app:2:3: invalid literal: id", "", `exec {"argv":["encore","secret"`},
		"port": {plain, map[string][]string{abi.OpProbe: {`{"ok":{"answers":true}}`}}, devServerFailed, "something already answers at 127.0.0.1:4000", "", "process_start"},
		"no encore": {plain, map[string][]string{abi.OpProcessStart: {`{"error":{"code":"not_found","message":"encore: not found in PATH"}}`}},
			providerNotAvailable, "the encore command is not installed: encore: not found in PATH", "", "process_wait"},
		"no encore for a secret": {devConfig, map[string][]string{abi.OpExec: {`{"error":{"code":"not_found","message":"encore: not found in PATH"}}`}},
			providerNotAvailable, "the encore command is not installed: encore: not found in PATH", "", "process_start"},
		"denied": {plain, map[string][]string{abi.OpProcessStart: {`{"error":{"code":"denied","message":"not that"}}`}}, "", "not that", "", "process_wait"},
		"not linked": {devConfig, map[string][]string{abi.OpReadFile: {`{"ok":{"data":"Ly8gImlkIjogIngiCnsiaWQiOiAiIn0="}}`}}, secretSyncFailed,
			"the app is not linked with Encore, which stores its secrets: backend/encore.app has no id", "", `exec {"argv":["encore","secret"`},
		"secret": {devConfig, map[string][]string{abi.OpExec: {`{"ok":{"exit_code":1,"stderr":"one\nerror: not logged in\n"}}`}}, secretSyncFailed,
			"the secret DOMAIN for dev,preview,local was not set: encore ended with exit code 1", "one\nerror: not logged in", "process_start"},
		"secret takes too long": {devConfig, map[string][]string{abi.OpExec: {`{"error":{"code":"timeout","message":"encore did not end within 15s"}}`}}, secretSyncFailed,
			"the secret DOMAIN for dev,preview,local: encore did not end within 15s", "", "process_start"},
		"crash, or the daemon": {plain, map[string][]string{
			abi.OpProbe:       {`{"ok":{"answers":false}}`},
			abi.OpProcessWait: {readyLine, `{"ok":{"exited":{"id":3,"exit_code":0,"tail":"panic: oh\n"}}}`},
		}, devServerFailed, "encore run ended by itself, with exit code 0, which it also has when the app crashed or its daemon died, before it was ready", "panic: oh", "log"},
		"never ready": {`{"dev":{"entrypoint":"backend","ready_timeout":"2500ms"}}`, map[string][]string{
			abi.OpProbe:       {`{"ok":{"answers":false}}`, `{"ok":{"answers":false}}`, `{"ok":{"answers":false,"status":502}}`},
			abi.OpProcessWait: {readyLine, `{"ok":{"timed_out":true}}`},
			abi.OpProcessStop: {`{"ok":{"id":3,"exit_code":0}}`},
		}, devServerFailed, "encore run was not ready within 2.5s", "", "log"},
		"crash": {plain, map[string][]string{abi.OpProcessWait: {`{"ok":{"exited":{"id":3,"exit_code":0,"tail":"panic: oh\n"}}}`}}, devServerFailed,
			"encore run ended by itself, with exit code 0, which it also has when the app crashed", "panic: oh", ""},
		"compile error": {plain, map[string][]string{
			abi.OpProbe:       {`{"ok":{"answers":false}}`},
			abi.OpProcessWait: {`{"ok":{"exited":{"id":3,"exit_code":1,"tail":"no such type\n"}}}`},
		}, devServerFailed, "encore run ended by itself, with exit code 1, before it was ready", "no such type", ""},
		"not ready": {`{"dev":{"entrypoint":"backend","ready_timeout":"2s"}}`, map[string][]string{
			abi.OpProbe:       {`{"ok":{"answers":false}}`},
			abi.OpProcessWait: {`{"ok":{"timed_out":true}}`},
			abi.OpProcessStop: {`{"ok":{"id":3,"exit_code":0,"tail":"compiling\n"}}`},
		}, devServerFailed, "encore run was not ready within 2s", "compiling", ""},
		"signal": {plain, map[string][]string{abi.OpProcessWait: {`{"ok":{"exited":{"id":3,"exit_code":137,"signal":"SIGKILL"}}}`}}, devServerFailed,
			"encore run ended by itself, with SIGKILL", "", ""},
	} {
		h := newHost(tt.answers)
		e, ok := errors.AsType[*abi.Error](h.dev(t, tt.config))
		if !ok || e.Reason != tt.reason || e.Message != tt.message || e.Output != tt.output {
			t.Errorf("%s: got %+v", name, e)
		}
		if tt.never != "" && slices.ContainsFunc(h.calls, func(call string) bool { return strings.HasPrefix(call, tt.never) }) {
			t.Errorf("%s: it went on: %s", name, strings.Join(h.calls, "\n"))
		}
	}
}

const readyLine = `{"ok":{"seen":{"id":3,"line":"  Your API is running at:     http://localhost:4000"}}}`

// TestReady has encore say that it is ready before its port answers: that it
// answers counts. An error of the app's own is an answer by then.
func TestReady(t *testing.T) {
	for _, last := range []string{`{"ok":{"answers":true,"status":404}}`, `{"ok":{"answers":false,"status":500}}`} {
		h := newHost(map[string][]string{
			abi.OpProbe:       {`{"ok":{"answers":false}}`, `{"ok":{"answers":false,"status":500}}`, `{"ok":{"answers":false,"status":502}}`, last},
			abi.OpProcessWait: {readyLine, `{"ok":{"timed_out":true}}`, `{"ok":{"exited":{"id":3,"exit_code":0,"interrupted":true}}}`},
		})
		_ = h.dev(t, `{"dev":{"entrypoint":"backend"}}`)
		h.calls = slices.DeleteFunc(h.calls, func(call string) bool { return strings.Contains(call, "still answers") })
		var got []string
		for _, call := range h.calls[2:] {
			operation, _, _ := strings.Cut(call, " ")
			got = append(got, operation)
		}
		want := []string{"exec", "process_start", "probe", "process_wait", "probe", "process_wait", "probe", "ready", "process_wait", "probe"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", last, diff)
		}
		if want := `ready {"processes":[{"url":"http://localhost:4000"}]}`; !slices.Contains(h.calls, want) {
			t.Errorf("got %s", strings.Join(h.calls, "\n"))
		}
	}
}

// TestBuild has the commands of builds, and what is made of how they ended.
func TestBuild(t *testing.T) {
	built := map[string][]string{abi.OpProcessWait: {`{"ok":{"seen":{"id":3,"line":"successfully exported app as docker image"}}}`, `{"ok":{"exited":{"id":3,"exit_code":0}}}`}}
	for _, tt := range []struct {
		config, tag string
		push        bool
		answers     map[string][]string
		want        string // the command, or else the error
		reason      string
	}{
		{`{"dev":{"entrypoint":"backend"}}`, "shop:1", false, built, "encore build docker shop:1", ""},
		{`{"build":{"workdir":"backend","image_name":"api","docker_tag_suffix":"-x","config":"infra.json","base":"node:22-slim","arch":"arm64"}}`, "localhost:5000/acme/shop:1", true, built,
			"encore build docker localhost:5000/acme/api:1-x --config ../infra.json --push --base node:22-slim --arch arm64", ""},
		{`{"build":{"workdir":"backend","skip_config":true,"push":true}}`, "shop", false, built, "encore build docker shop --skip-config --push", ""},
		{`{"build":{"workdir":"backend","skip_config":true,"config":"x","arch":"mips","image_name":"A","base":"UP:x:y"}}`, "shop", false, nil,
			"build.skip_config: excludes build.config\nbuild.image_name: \"A\" is not an image name\nbuild.base: \"UP:x:y\" is not an image reference\nbuild.arch: unknown architecture \"mips\": expected amd64 or arm64", configInvalid},
		{`{"build":{"workdir":"backend"}}`, "shop@sha256:" + strings.Repeat("a", 64), false, nil, `"shop@sha256:` + strings.Repeat("a", 64) + `" has a digest, which is unknown before the build`, configInvalid},
		{`{"build":{"workdir":"backend"}}`, "shop:1", false, map[string][]string{`stat {"path":".git"}`: {`{"ok":{"name":".git","size":1}}`}},
			".git is a file, as in a worktree or a submodule: encore would never finish the build", invalidProject},
		{`{"build":{"workdir":"backend"}}`, "shop:1", false, map[string][]string{`stat {"path":".git"}`: {missing}, `stat {"path":".git","above":true}`: {`{"ok":{"name":".git","size":0}}`}},
			"a .git above the project directory is a file, as in a worktree or a submodule: encore would never finish the build", invalidProject},
		{`{"build":{"workdir":"backend"}}`, "shop:1", false, map[string][]string{`stat {"path":".git"}`: {missing}, `stat {"path":".git","above":true}`: {missing}, abi.OpProcessWait: built[abi.OpProcessWait]}, "encore build docker shop:1", ""},
		{`{"build":{"workdir":"backend"}}`, "shop:1", false, map[string][]string{abi.OpProcessWait: {`{"ok":{"exited":{"id":3,"exit_code":0}}}`}},
			"encore build docker ended with exit code 0 but did not report an image, as happens when its daemon dies", buildFailed},
		{`{"build":{"workdir":"backend"}}`, "shop:1", false, map[string][]string{abi.OpProcessWait: {`{"ok":{"exited":{"id":3,"exit_code":1}}}`}},
			"encore build docker ended with exit code 1", buildFailed},
		{`{"build":{"workdir":"backend"}}`, "shop:1", false, map[string][]string{abi.OpProcessWait: built[abi.OpProcessWait], abi.OpDockerImage: {missing}},
			"encore reported the image shop:1, but the engine does not have it", buildFailed},
		{`{"build":{"workdir":"backend"}}`, "shop:1", false, map[string][]string{abi.OpProcessWait: {`{"ok":{"interrupted":true}}`, `{"ok":{"exited":{"id":3,"exit_code":0,"interrupted":true}}}`}},
			"encore build docker: interrupted", ""},
	} {
		answers := make(map[string][]string)
		for key, list := range tt.answers {
			answers[key] = slices.Clone(list)
		}
		h := newHost(answers)
		_, err := new(Provider).BuildDocker(backend.WithHost(t.Context(), h), abi.BuildDockerOptions{Config: abi.JSON(tt.config), ImageTag: tt.tag, Push: tt.push})
		got, reason := h.command(t), ""
		if e, ok := errors.AsType[*abi.Error](err); ok {
			got, reason = e.Message, e.Reason
		}
		if got != tt.want || reason != tt.reason {
			t.Errorf("%s %s:\n got %s, %s\nwant %s, %s", tt.config, tt.tag, got, reason, tt.want, tt.reason)
		}
		looked := slices.ContainsFunc(h.calls, func(call string) bool { return strings.HasPrefix(call, "docker_image ") })
		if pushed := strings.Contains(got, "--push"); err == nil && looked == pushed {
			t.Errorf("%s: looked for the image: %v, pushed: %v", tt.config, looked, pushed)
		}
	}
}

// command is the one that was started.
func (h *host) command(t *testing.T) string {
	t.Helper()
	for _, call := range h.calls {
		if text, ok := strings.CutPrefix(call, "process_start "); ok {
			var request abi.ProcessStartRequest
			if err := json.Unmarshal([]byte(text), &request); err != nil || request.Dir != "backend" {
				t.Errorf("%s: %v", text, err)
			}
			return strings.Join(request.Argv, " ")
		}
	}
	return "nothing"
}

// TestReference follows the grammar's own cases.
func TestReference(t *testing.T) {
	sum := strings.Repeat("0a", 32)
	for text, want := range map[string]string{
		"shop":                             " shop  ",
		"shop:1":                           " shop 1 ",
		"localhost/shop":                   "localhost shop  ",
		"localhost:5000/shop:1":            "localhost:5000 shop 1 ",
		"ghcr.io/acme/shop_a/b-c:v1.2":     "ghcr.io acme/shop_a/b-c v1.2 ",
		"acme/shop@sha256:" + sum:          " acme/shop  sha256:" + sum,
		"acme/shop:1@sha256:" + sum:        " acme/shop 1 sha256:" + sum,
		"[::1]:5000/shop":                  "[::1]:5000 shop  ",
		"Acme/shop":                        "",
		"shop:":                            "",
		"shop:a b":                         "",
		":1":                               "",
		"":                                 "",
		"a//b":                             "",
		"shop@sha256:12":                   "",
		"-shop":                            "",
		"shop:" + strings.Repeat("a", 129): "",
	} {
		r, ok := parseReference(text)
		got := ""
		if ok {
			got = fmt.Sprintf("%s %s %s %s", r.domain, strings.Join(r.path, "/"), r.tag, r.digest)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestRelative(t *testing.T) {
	for _, tt := range [][3]string{{".", "ca.pem", "ca.pem"}, {"./b", "./ca.pem", "../ca.pem"}, {"a/b/", "c/d", "../../c/d"}} {
		if got := relative(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%v: got %s", tt, got)
		}
	}
}

func TestLocal(t *testing.T) {
	for listen, want := range map[string]string{
		"": "127.0.0.1:4000", "0.0.0.0:80": "127.0.0.1:80", ":80": "localhost:80", "localhost:1": "localhost:1",
		"127.0.0.2:9": "127.0.0.2:9", "[::]:9": "localhost:9", "[::1]:9": "[::1]:9", "192.168.1.2:9": "localhost:9",
	} {
		var c config
		c.Dev.Listen = listen
		if got := c.local(); got != want {
			t.Errorf("%q: got %s, want %s", listen, got, want)
		}
	}
}
