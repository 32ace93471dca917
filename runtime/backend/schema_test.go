package backend_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

// answers is a check that gives one reply, and notes the value.
type answers struct {
	reply string
	err   error
	value string
}

func (a *answers) check(_ context.Context, _, value []byte, _ []string) ([]byte, error) {
	a.value = string(value)
	return []byte(a.reply), a.err
}

func TestCheckConfig(t *testing.T) {
	const ok = `{"ok":{}}`
	for name, tt := range map[string]struct {
		schema string
		answer answers
		want   string
	}{
		"valid":              {"true", answers{reply: ok}, ""},
		"no schema":          {"", answers{err: errors.New("asked")}, ""},
		"null":               {"null", answers{err: errors.New("asked")}, ""},
		"as large as can be": {strings.Repeat(" ", 256<<10), answers{reply: ok}, ""},
		"too large":          {strings.Repeat(" ", 256<<10+1), answers{reply: ok}, "its config_schema is not usable: it has 262145 bytes, the limit is 262144"},
		"bad schema":         {"7", answers{reply: `{"error":{"code":"invalid","message":"it is\u001b[31m a number"}}`}, "its config_schema is not usable: it is a number"},
		"stopped":            {"true", answers{err: errors.New("stopped: too long")}, "its config_schema is not usable: stopped: too long"},
		"no reply":           {"true", answers{reply: "x"}, `its reply is not JSON: "x"`},
	} {
		err := backend.CheckConfig(t.Context(), abi.Description{ConfigSchema: abi.JSON(tt.schema)}, []byte("{}"), tt.answer.check)
		if tt.want == "" && err == nil {
			continue
		}
		if _, ok := errors.AsType[*backend.ContractError](err); !ok || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}

func TestCheckConfigProblems(t *testing.T) {
	about := abi.Description{ConfigSchema: abi.JSON("true")}
	wrong := answers{reply: `{"error":{"code":"invalid","message":"m","problems":[{"pointer":"/a","message":"m\u001b[31m","hint":"h\u0007"}]}}`}
	e, ok := errors.AsType[*abi.Error](backend.CheckConfig(t.Context(), about, []byte("null"), wrong.check))
	if !ok || len(e.Problems) != 1 || e.Problems[0].Message != "m" || e.Problems[0].Hint != "h" {
		t.Errorf("got %+v", e)
	}
	if wrong.value != "{}" {
		t.Errorf("no part is checked as %s", wrong.value)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupted")
	cancel(cause)
	if err := backend.CheckConfig(ctx, about, []byte("{}"), (&answers{err: errors.New("killed")}).check); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}
