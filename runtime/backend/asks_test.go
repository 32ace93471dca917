package backend_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

// asking describes itself with asks.
type asking struct{ asks abi.Capabilities }

func (a asking) Call(context.Context, string, []byte) ([]byte, error) {
	about := abi.Description{ID: "asking", Version: "1", ABI: abi.Version, Capabilities: a.asks}
	return json.Marshal(map[string]any{"ok": about})
}

// TestAsksCanBeRead: people can read all asks before they trust a provider.
func TestAsksCanBeRead(t *testing.T) {
	long := strings.Repeat("x", 700)
	args := slices.Repeat([]string{strings.Repeat("A", 30)}, 40)
	for _, tt := range []struct {
		name string
		asks abi.Capabilities
		want string
	}{
		{"nothing", abi.Capabilities{}, ""},
		{"as much as can be", abi.Capabilities{Env: slices.Repeat([]string{"A"}, 255), Connect: []int{1}}, ""},
		{"arguments, each a line", abi.Capabilities{Build: []abi.BuildAsk{{Args: args}}}, ""},
		{"one more", abi.Capabilities{Env: slices.Repeat([]string{"A"}, 256), Connect: []int{1}}, "it asks for 257 things"},
		{"of several kinds", abi.Capabilities{
			Exec: make([]abi.ExecAsk, 100), Build: []abi.BuildAsk{{Args: make([]string, 100)}}, Files: make([]string, 100),
		}, "it asks for 301 things"},
		{"many daemons", abi.Capabilities{Daemons: make([][]string, 257)}, "it asks for 257 things"},
		{"a long daemon", abi.Capabilities{Daemons: [][]string{{"tool", long}}}, "one of its asks has"},
		{"a long word", abi.Capabilities{Exec: []abi.ExecAsk{{Argv: []string{"sh", "-c", long}}}}, "one of its asks has 723 bytes"},
		{"a long pattern", abi.Capabilities{Images: []string{long}}, "one of its asks has 702 bytes"},
		{"a long place", abi.Capabilities{Build: []abi.BuildAsk{{DockerfileFrom: long}}}, "one of its asks has"},
	} {
		_, err := backend.NewGuest(t.Context(), asking{tt.asks})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
