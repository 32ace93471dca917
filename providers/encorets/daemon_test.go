package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	guest "github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// namespaceList is the call that starts the daemon: it has no variable of the
// project.
const namespaceList = `exec {"argv":["encore","namespace","list"],"dir":"backend","env":{"DISABLE_ENCORE_TELEMETRY":"1"},"capture":true,"timeout_ms":30000}`

// TestStartDaemon has a command without the project's variables come before the
// first that has one, and no other.
func TestStartDaemon(t *testing.T) {
	for config, want := range map[string]bool{
		`{"dev":{"entrypoint":"backend"}}`: false,
		`{"dev":{"entrypoint":"backend","secrets":{"types":["local"],"from_env":["DOMAIN"]}}}`:                     false,
		`{"dev":{"entrypoint":"backend","env_from":[".env"]}}`:                                                     true,
		`{"dev":{"entrypoint":"backend","node_extra_ca_certs":"ca.pem"}}`:                                          true,
		`{"dev":{"entrypoint":"backend","env_from":[".env"],"secrets":{"types":["local"],"from_env":["DOMAIN"]}}}`: true,
		`{"dev":{"entrypoint":"backend","env_from":[".env"],"disable_telemetry":false,"node_extra_ca_certs":"c"}}`: true,
	} {
		h := newHost(nil)
		_ = new(Provider).Dev(guest.WithHost(t.Context(), h), abi.DevOptions{Config: abi.JSON(config)})
		commands := slices.DeleteFunc(h.calls, func(call string) bool {
			return !strings.HasPrefix(call, "exec ") && !strings.HasPrefix(call, "process_start ")
		})
		if got := strings.Contains(commands[0], `"namespace","list"`); got != want {
			t.Errorf("%s: the first command is %s", config, commands[0])
		}
		if strings.Contains(commands[0], "namespace") && strings.ContainsAny(commands[0], ".") {
			t.Errorf("%s: a variable of the project's is in %s", config, commands[0])
		}
	}
}

// TestStartDaemonForBuild wants it where a build has a variable of the project.
func TestStartDaemonForBuild(t *testing.T) {
	for config, want := range map[string]bool{
		`{"build":{"workdir":"backend"}}`:                                 false,
		`{"dev":{"entrypoint":"backend","node_extra_ca_certs":"ca.pem"}}`: true,
	} {
		h := newHost(nil)
		_, _ = new(Provider).BuildDocker(guest.WithHost(t.Context(), h), abi.BuildDockerOptions{Config: abi.JSON(config), ImageTag: "shop:1"})
		if got := slices.Contains(h.calls, namespaceList); got != want {
			t.Errorf("%s: got %s", config, strings.Join(h.calls, "\n"))
		}
	}
}

// late is what encore says where its daemon has not started within 5 s.
const late = `{"ok":{"exit_code":1,"stderr":"starting daemon: timed out waiting for daemon to start\n"}}`

// TestStartDaemonFails has nothing run with the project's variables where the
// daemon is not there, and all go on where it is.
func TestStartDaemonFails(t *testing.T) {
	for name, tt := range map[string]struct {
		answer, message, reason string
	}{
		"late": {late + `|{"ok":{}}`, "", ""},
		"not started": {late,
			"cannot start encore's daemon without the variables of this project: encore namespace list ended with exit code 1", devServerFailed},
		"too old": {`{"ok":{"exit_code":1,"stderr":"unknown command \"namespace\" for \"encore\"\n"}}`,
			"cannot start encore's daemon without the variables of this project: encore namespace list ended with exit code 1", devServerFailed},
		"hangs": {`{"error":{"code":"timeout","message":"encore did not end within 30s"}}`,
			"encore namespace list, which starts encore's daemon: encore did not end within 30s", devServerFailed},
		"missing":     {`{"error":{"code":"not_found","message":"encore: not found in PATH"}}`, "the encore command is not installed: encore: not found in PATH", providerNotAvailable},
		"denied":      {`{"error":{"code":"denied","message":"not that"}}`, "not that", ""},
		"interrupted": {`{"ok":{"exit_code":130,"interrupted":true}}`, "encore namespace list: interrupted", ""},
		"logged out":  {`{"ok":{"exit_code":1,"stderr":"error: not logged in: run 'encore auth login' first\n"}}`, "", ""},
	} {
		h := newHost(map[string][]string{namespaceList: strings.Split(tt.answer, "|")})
		e, _ := errors.AsType[*abi.Error](h.dev(t, `{"dev":{"entrypoint":"backend","env_from":[".env"]}}`))
		ran := slices.ContainsFunc(h.calls, func(call string) bool { return strings.HasPrefix(call, "process_start ") })
		switch {
		case tt.message == "":
			if !ran {
				t.Errorf("%s: it did not go on: %+v", name, e)
			}
		case ran || e == nil || e.Message != tt.message || e.Reason != tt.reason:
			t.Errorf("%s: got %+v, went on: %v", name, e, ran)
		}
	}
}
