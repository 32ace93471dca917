package log

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

func TestLog(t *testing.T) {
	p := hosttest.New(t, nil)
	g := hosttest.NewGate(t, p.GateOptions(t, "version: 1\nproviders: {test: {}}", Operation(p.Log)))
	hosttest.As[abi.Empty](t, hosttest.Call(t, g, abi.OpLog, abi.LogRequest{Level: abi.LevelWarn, Message: "\x1b[2Jhello\u202e\n\n"}))
	if len(p.Logged) != 1 || p.Logged[0] != "warn: hello" {
		t.Errorf("got %q", p.Logged)
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpLog, abi.LogRequest{Level: "loud"}), abi.CodeInvalid, `level "loud"`)
}

func TestLogIsBounded(t *testing.T) {
	for name, message := range map[string]string{"lines": strings.Repeat("x\n", 999) + "x", "bytes": strings.Repeat("x", 100_000)} {
		p := hosttest.New(t, nil)
		g := hosttest.NewGate(t, p.GateOptions(t, "version: 1\nproviders: {test: {}}", Operation(p.Log)))
		var last abi.Reply
		for range 20 {
			last = hosttest.Call(t, g, abi.OpLog, abi.LogRequest{Level: abi.LevelInfo, Message: message})
		}
		hosttest.WantError(t, last, abi.CodeTooLarge, "a run can log")
		if n := len(p.Logged); n != 11 || p.Logged[10] != "warn: the provider logs too much; further messages are not shown" {
			t.Errorf("%s: %d messages were shown", name, n)
		}
	}
}
