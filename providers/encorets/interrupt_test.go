package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// TestDevInterrupted has Ctrl-C at each call: no other command of encore's is
// started after it.
func TestDevInterrupted(t *testing.T) {
	const (
		reply = `{"error":{"code":"interrupted","message":"interrupt"}}`
		free  = `{"ok":{"answers":false}}`
		ended = `{"ok":{"exited":{"id":3,"exit_code":0,"interrupted":true}}}`
	)
	for name, tt := range map[string]struct {
		call    string
		answers []string
		last    string // of the calls
	}{
		"looking for the app": {`stat {"path":"backend/encore.app"}`, []string{reply}, abi.OpStat},
		"looking at the port": {abi.OpProbe, []string{reply}, abi.OpProbe},
		"looking at secrets":  {abi.OpEnvStatus, []string{reply}, abi.OpEnvStatus},
		"reading encore.app":  {abi.OpReadFile, []string{reply}, abi.OpReadFile},
		"before a secret":     {abi.OpExec, []string{reply}, abi.OpExec},
		"setting a secret":    {abi.OpExec, []string{`{"ok":{"exit_code":130,"signal":"SIGINT","interrupted":true}}`}, abi.OpExec},
		"before encore run":   {abi.OpProcessStart, []string{reply}, abi.OpProcessStart},
		"compiling":           {abi.OpProbe, []string{free, free, free}, abi.OpProbe},
		"serving":             {abi.OpProcessWait, []string{ended}, abi.OpProbe},
		"giving up":           {abi.OpProcessWait, []string{reply}, abi.OpProcessWait},
		"the port at the end": {abi.OpProbe, []string{free, free, reply}, abi.OpProbe},
	} {
		h := newHost(map[string][]string{
			abi.OpEnvStatus: {`{"ok":{"states":{"DOMAIN":"set","API":"set","EMPTY":"set"}}}`},
			tt.call:         tt.answers,
		})
		e, ok := errors.AsType[*abi.Error](h.dev(t, devConfig))
		if !ok || e.Code != abi.CodeInterrupted || e.Reason != "" {
			t.Errorf("%s: got %+v", name, e)
		}
		if last := h.calls[len(h.calls)-1]; !strings.HasPrefix(last, tt.last+" ") {
			t.Errorf("%s: it went on: %s", name, strings.Join(h.calls, "\n"))
		}
	}
}

// TestPortStaysTaken has an app that does not free its port after Ctrl-C.
func TestPortStaysTaken(t *testing.T) {
	h := newHost(map[string][]string{abi.OpProbe: {`{"ok":{"answers":false}}`, `{"ok":{"answers":true}}`}})
	_ = h.dev(t, `{"dev":{"entrypoint":"backend"}}`)
	if want := `log {"level":"warn","message":"something still answers at 127.0.0.1:4000"}`; h.calls[len(h.calls)-1] != want {
		t.Errorf("got %s", strings.Join(h.calls, "\n"))
	}
}
