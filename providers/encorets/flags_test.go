package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	guest "github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// TestRunFlags has the command, or else the problems, of each setting.
func TestRunFlags(t *testing.T) {
	const plain = "encore run --listen 127.0.0.1:4000 --browser never"
	for config, want := range map[string]string{
		``:                  plain,
		`"watch":true`:      plain + " --watch=true",
		`"watch":false`:     plain + " --watch=false",
		`"watch":null`:      plain,
		`"debug":true`:      plain + " --debug=enabled",
		`"debug":"break"`:   plain + " --debug=break",
		`"debug":false`:     plain,
		`"level":"warn"`:    plain + " --level warn",
		`"namespace":"a b"`: plain + " --namespace a b",
		`"browser":"auto"`:  "encore run --listen 127.0.0.1:4000 --browser auto",
		`"watch":false,"namespace":"x","level":"trace","debug":"enabled","browser":"always"`: "encore run --listen 127.0.0.1:4000 --browser always --watch=false --namespace x --level trace --debug=enabled",

		`"level":"Warn"`:     `dev.level: unknown value "Warn"`,
		`"level":"fatal"`:    `dev.level: unknown value "fatal"`,
		`"browser":"no"`:     `dev.browser: unknown value "no"`,
		`"debug":"yes"`:      `dev.debug: unknown value "yes"`,
		`"debug":3`:          `dev.debug: unknown value "3"`,
		`"namespace":"--x"`:  `dev.namespace: "--x" is not the name of a namespace`,
		`"watch":"no"`:       `dev.watch: is a string, expected true or false`,
		`"namespace":["a"]`:  `dev.namespace: is a list, expected a string`,
		`"watch_":true`:      `dev.watch_: unknown key`,
		`"level":"a\u001bb"`: `dev.level: unknown value "a\x1bb"`,
	} {
		h := newHost(nil)
		if config != "" {
			config = "," + config
		}
		err := h.dev(t, `{"dev":{"entrypoint":"backend"`+config+`}}`)
		got := h.command(t)
		if e, ok := errors.AsType[*abi.Error](err); ok && e.Reason == configInvalid {
			got = e.Message
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", config, got, want)
		}
	}
}

// TestParts has what of the app is in the image.
func TestParts(t *testing.T) {
	const plain = "encore build docker shop:1"
	for config, want := range map[string]string{
		``:                               plain,
		`"services":[],"gateways":null`:  plain,
		`"services":["api","mail"]`:      plain + " --services api,mail",
		`"gateways":["web"]`:             plain + " --gateways web",
		`"services":["a"],"base":"b"`:    plain + " --base b --services a",
		`"services":["a,b"]`:             `build.services[0]: "a,b" is not the name of a service or gateway`,
		`"services":["a",""]`:            `build.services[1]: "" is not the name of a service or gateway`,
		`"gateways":["-x"]`:              `build.gateways[0]: "-x" is not the name of a service or gateway`,
		`"gateways":["x\""]`:             `build.gateways[0]: "x\"" is not the name of a service or gateway`,
		`"services":["a","a"]`:           `build.services[1]: duplicate name "a"`,
		`"services":"a"`:                 `build.services: is a string, expected a list, each item a string`,
		`"services":["a"],"servicez":[]`: `build.servicez: unknown key`,
	} {
		h := newHost(map[string][]string{abi.OpProcessWait: {`{"ok":{"seen":{"id":3,"line":"` + saysBuilt + `"}}}`, `{"ok":{"exited":{"id":3,"exit_code":0}}}`}})
		if config != "" {
			config = "," + config
		}
		_, err := new(Provider).BuildDocker(guest.WithHost(t.Context(), h), abi.BuildDockerOptions{
			Config: abi.JSON(`{"build":{"workdir":"backend"` + config + `}}`), ImageTag: "shop:1",
		})
		got := h.command(t)
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), "\n")
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", config, got, want)
		}
	}
}
