package abi_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

func TestValue(t *testing.T) {
	for text, want := range map[string]abi.Value{`"x"`: abi.Text("x"), `""`: {}, `{"env":"A"}`: abi.EnvRef("A"), `{"env":"A","files":["b","c"]}`: abi.EnvRef("A", "b", "c")} {
		var v abi.Value
		if err := json.Unmarshal([]byte(text), &v); err != nil || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %+v, %v", text, v, err)
		}
		if out, err := json.Marshal(want); err != nil || string(out) != text {
			t.Errorf("got %s, want %s", out, text)
		}
	}
	for _, text := range []string{`1`, `null`, `[]`, `{}`, `{"env":""}`, `{"env":"A","x":1}`, `{"file":"A"}`} {
		v := abi.Text("before")
		if err := json.Unmarshal([]byte(text), &v); text != "null" && err == nil {
			t.Errorf("%s is taken: %+v", text, v)
		}
	}
}
