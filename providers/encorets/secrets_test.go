package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// TestSecretTypes has each of encore's names for types by itself, as encore gets
// it, and wrong ones, with which nothing is called at all.
func TestSecretTypes(t *testing.T) {
	const known = "expected one of dev, development, ephemeral, local, pr, preview, prod, production"
	for _, tt := range []struct {
		name    string
		message string // of the problem with it, "" where it is right
		hint    string
	}{
		{"development", "", ""},
		{"dev", "", ""},
		{"production", "", ""},
		{"prod", "", ""},
		{"preview", "", ""},
		{"pr", "", ""},
		{"ephemeral", "", ""},
		{"local", "", ""},
		{"staging", `unknown environment type "staging"`, known},
		{"lokal", `unknown environment type "lokal"`, `did you mean "local"? ` + known},
		{"Dev", `unknown environment type "Dev"`, `did you mean "dev"? ` + known},
		{"dev,local", `unknown environment type "dev,local"`, known},
		{" dev", `unknown environment type " dev"`, `did you mean "dev"? ` + known},
		{"", `unknown environment type ""`, known},
	} {
		h := newHost(map[string][]string{abi.OpEnvStatus: {`{"ok":{"states":{"DOMAIN":"set"}}}`}})
		e, _ := errors.AsType[*abi.Error](h.dev(t, `{"dev":{"entrypoint":"backend","secrets":{"types":["`+tt.name+`"],"from_env":["DOMAIN"]}}}`))
		if tt.message == "" {
			want := `exec {"argv":["encore","secret","set","--type","` + tt.name + `","DOMAIN"],`
			if !slices.ContainsFunc(h.calls, func(call string) bool { return strings.HasPrefix(call, want) }) {
				t.Errorf("%s: %v, no call %s in\n%s", tt.name, e, want, strings.Join(h.calls, "\n"))
			}
			continue
		}
		want := abi.Problem{Pointer: "/dev/secrets/types/0", Message: tt.message, Hint: tt.hint}
		if e == nil || e.Reason != configInvalid || !slices.Equal(e.Problems, []abi.Problem{want}) || len(h.calls) > 0 {
			t.Errorf("%q: got %+v and %d calls, want %+v and none", tt.name, e, len(h.calls), want)
		}
	}
}
