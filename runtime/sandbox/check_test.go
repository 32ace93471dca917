package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

func checkValue(t *testing.T, ctx context.Context, schema, value string) (*abi.Error, error) {
	t.Helper()
	data, err := sandbox.CheckValue(ctx, []byte(schema), []byte(value), []string{"/env"}, sandbox.Options{Helper: sandbox.TestHelper})
	if err != nil {
		return nil, err
	}
	var reply abi.Reply
	if err := json.Unmarshal(data, &reply); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return reply.Error, nil
}

func TestCheckValue(t *testing.T) {
	for _, tt := range []struct{ schema, value, want string }{
		{`{"required":["port"]}`, `{"port":1}`, "<nil>"},
		{`{"required":["port"]}`, `{}`, "port: is required"},
		{`{"properties":{"env":{"type":["number","string"]}}}`, `{"env":[]}`, "env: is a list, expected a string"},
		{`{"type":7}`, `{}`, "/type: unknown value 7"},
		{`{"$ref":"file:///etc/hostname"}`, `{}`, "it refers to file:///etc/hostname, and may refer only to itself"},
	} {
		wrong, err := checkValue(t, t.Context(), tt.schema, tt.value)
		got := "<nil>"
		if wrong != nil {
			got = wrong.Message
		}
		if err != nil || got != tt.want {
			t.Errorf("%s, %s: got %s, %v, want %s", tt.schema, tt.value, got, err, tt.want)
		}
	}
}

// TestCheckIsBounded evaluates a schema that takes forever.
func TestCheckIsBounded(t *testing.T) {
	var defs strings.Builder
	for i := range 60 {
		next := fmt.Sprintf(`{"$ref":"#/$defs/a%d"}`, i+1)
		fmt.Fprintf(&defs, `"a%d":{"allOf":[%s,%s]},`, i, next, next)
	}
	schema := `{"$ref":"#/$defs/a0","$defs":{` + defs.String() + `"a60":true}}`
	_, err := checkValue(t, t.Context(), schema, `{}`)
	limit, ok := errors.AsType[*sandbox.LimitError](err)
	if !ok || limit.What != "computing time" {
		t.Errorf("got %v", err)
	}
}

func TestCheckIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupted")
	cancel(cause)
	if _, err := checkValue(t, ctx, `true`, `{}`); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}
