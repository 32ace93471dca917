package settings_test

import (
	"errors"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/settings"
)

type project struct {
	Dev struct {
		Command []string          `json:"command"`
		Env     map[string]string `json:"env"`
		Port    uint16            `json:"port,omitempty"`
		Level   *int              `json:"level"`
		Ratio   float64
		Hidden  string `json:"-"`
		Any     any    `json:"any"`
		Value   abi.Value
	} `json:"dev"`
	Watch bool `json:"watch"`
}

func TestDecode(t *testing.T) {
	var got project
	err := settings.Decode([]byte(
		`{"dev":{"command":["a"],"env":{"A":"b"},"port":80,"level":-1,"Ratio":1.5,"any":[1,{"x":null}],"Value":{"env":"X"}},"watch":true}`), &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.Dev.Command[0] != "a" || got.Dev.Env["A"] != "b" || got.Dev.Port != 80 || *got.Dev.Level != -1 || got.Dev.Ratio != 1.5 || got.Dev.Value.Env != "X" || !got.Watch {
		t.Errorf("got %+v", got)
	}
	for _, empty := range []string{"", "null", " "} {
		if err := settings.Decode([]byte(empty), &got); err != nil || !got.Watch {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

func TestDecodeProblems(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`[]`, "is a list, expected a mapping"},
		{`{"dev":"npm"}`, "dev: is a string, expected a mapping"},
		{`{"dev":null}`, "dev: is null, expected a mapping"},
		{`{"dev":{"command":"npm run"}}`, "dev.command: is a string, expected a list, each item a string"},
		{`{"dev":{"command":["npm",3]}}`, "dev.command[1]: is the number 3, expected a string"},
		{`{"dev":{"env":{"A":true}}}`, "dev.env.A: is a boolean, expected a string"},
		{`{"dev":{"env":["A"]}}`, "dev.env: is a list, expected a mapping, each value a string"},
		{`{"dev":{"port":70000}}`, "dev.port: is the number 70000, expected a whole number, 0 or more"},
		{`{"dev":{"port":-1}}`, "dev.port: is the number -1, expected a whole number, 0 or more"},
		{`{"dev":{"level":1.5}}`, "dev.level: is the number 1.5, expected a whole number"},
		{`{"dev":{"Ratio":"x"}}`, "dev.Ratio: is a string, expected a number"},
		{`{"watch":"yes"}`, "watch: is a string, expected true or false"},
		{`{"dev":{"comand":[]}}`, "dev.comand: unknown key"},
		{`{"dev":{"Command":[]}}`, "dev.Command: unknown key"},
		{`{"dev":{"Hidden":""}}`, "dev.Hidden: unknown key"},
		{`{"a/b":1,"watch":1}`, "a/b: unknown key\nwatch: is the number 1, expected true or false"},
		{`{`, "configuration is not JSON: unexpected EOF"},
	} {
		var s project
		err := settings.Decode([]byte(tt.in), &s)
		e, ok := errors.AsType[*abi.Error](err)
		if !ok || e.Code != abi.CodeInvalid || e.Message != tt.want {
			t.Errorf("%s: got %v, want %s", tt.in, err, tt.want)
		}
	}
	var s project
	e, _ := errors.AsType[*abi.Error](settings.Decode([]byte(`{"dev":{"a/~b":1}}`), &s))
	if e.Problems[0].Pointer != "/dev/a~1~0b" || e.Problems[0].Hint != "known here: Ratio, Value, any, command, env, level, port" {
		t.Errorf("got %+v", e.Problems[0])
	}
	if err := settings.Decode([]byte(`{}`), s); err == nil {
		t.Error("decoded into no pointer")
	}
}

// FuzzDecode wants an answer for any configuration.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"dev":{"command":["a"],"env":{"A":"b"},"level":null},"watch":true}`))
	f.Add([]byte(`{"dev":{"command":1e99,"port":-0}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s project
		if err := settings.Decode(data, &s); err != nil {
			if _, ok := errors.AsType[*abi.Error](err); !ok {
				t.Errorf("an error of another kind: %v", err)
			}
		}
	})
}
