package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// TestSecretsNotRequired has what keeps secrets from being set, and whether the
// app runs then where they are not required. Where they are it never does.
func TestSecretsNotRequired(t *testing.T) {
	failed := func(stderr string) string { return `{"ok":{"exit_code":1,"stderr":"` + stderr + `"}}` }
	for name, tt := range map[string]struct{ answer, warning string }{
		"logged out":    {failed(`error: unable to list environments: GET /apps/a/envs: Get: not logged in: run 'encore auth login' first`), "not logged in"},
		"no name":       {failed(`error: unable to list environments: dial tcp: lookup api.encore.cloud: no such host`), "cannot reach Encore's platform"},
		"no answer":     {failed(`error: unable to lookup app a: context deadline exceeded`), "cannot reach Encore's platform"},
		"hangs":         {`{"error":{"code":"timeout","message":"encore did not end within 15s"}}`, "encore did not end in time"},
		"conflict":      {failed("error: the environment selection conflicts with other secret values"), ""},
		"no permission": {failed("error: unable to list environments: http 403: code=forbidden"), ""},
		"denied":        {`{"error":{"code":"denied","message":"not that"}}`, ""},
		"no encore":     {`{"error":{"code":"not_found","message":"encore: not found in PATH"}}`, ""},
		"interrupted":   {`{"ok":{"exit_code":130,"interrupted":true}}`, ""},
	} {
		for _, required := range []string{"", `,"required":true`, `,"required":false`} {
			h := newHost(map[string][]string{
				abi.OpExec:      {tt.answer},
				abi.OpEnvStatus: {`{"ok":{"states":{"A":"set","B":"set"}}}`},
			})
			err := h.dev(t, `{"dev":{"entrypoint":"backend","secrets":{"types":["local"],"from_env":["A","B"]`+required+`}}}`)
			goesOn := tt.warning != "" && strings.Contains(required, "false")
			began := func(prefix string) bool {
				return slices.ContainsFunc(h.calls, func(call string) bool { return strings.HasPrefix(call, prefix) })
			}
			warned := began(`log {"level":"warn","message":"the secrets A, B are not synced: ` + tt.warning)
			if began("process_start ") != goesOn || warned != goesOn {
				t.Errorf("%s, %q: %v\n%s", name, required, err, strings.Join(h.calls, "\n"))
			}
			e, ok := errors.AsType[*abi.Error](err)
			if hinted := ok && strings.Contains(e.Hint, "dev.secrets.required: false"); !goesOn && hinted != (tt.warning != "") {
				t.Errorf("%s, %q: hint %q", name, required, e.Hint)
			}
		}
	}
}

// TestUnchangedSecret: an unchanged secret is reported, and the app runs.
func TestUnchangedSecret(t *testing.T) {
	h := newHost(map[string][]string{abi.OpExec: {`{"ok":{"exit_code":0,"unchanged":true}}`}})
	_ = h.dev(t, devConfig)
	if want := `log {"level":"info","message":"the secret DOMAIN for dev,preview,local is unchanged, and not set again"}`; !slices.Contains(h.calls, want) {
		t.Errorf("got %s", strings.Join(h.calls, "\n"))
	}
}
