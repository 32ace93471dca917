package buildkit

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// TestEngineSlowOrWithout distinguishes a slow engine from one that
// has no BuildKit: only the latter is another builder's to build with.
func TestEngineSlowOrWithout(t *testing.T) {
	none := errors.New("404")
	for name, tt := range map[string]struct {
		hijack Hijack
		slow   bool
	}{
		"slow": {func(ctx context.Context, _, _ string, _ map[string][]string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, true},
		"silent": {func(context.Context, string, string, map[string][]string) (net.Conn, error) {
			near, far := net.Pipe()
			t.Cleanup(func() { far.Close() })
			return near, nil
		}, true},
		"without": {func(context.Context, string, string, map[string][]string) (net.Conn, error) { return nil, none }, false},
	} {
		// Whoever has none says so at once; the limit is for the others.
		limit := time.Hour
		if tt.slow {
			limit = 50 * time.Millisecond
		}
		_, err := connectEngine(t.Context(), "here", tt.hijack, limit)
		if e, ok := errors.AsType[*UnavailableError](err); !ok || e.Slow != tt.slow {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
