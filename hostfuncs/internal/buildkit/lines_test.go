package buildkit

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestLines wants what an engine says in lines to be masked in each mode.
func TestLines(t *testing.T) {
	for _, mode := range []string{"auto", "plain", "tty", "rawjson", "quiet"} {
		out := new(strings.Builder)
		p := Progress{Out: out, Mode: mode, Mask: func(text string) string { return strings.ReplaceAll(text, "secret", "***") }}
		text := "a secret line\n"
		if n, err := p.Lines("building").Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%s: wrote %d, %v", mode, n, err)
		}
		want := "a *** line\n"
		switch mode {
		case "rawjson":
			want = base64.StdEncoding.EncodeToString([]byte(want))
		case "quiet":
			want = ""
		}
		if got := out.String(); !strings.Contains(got, want) || mode != "rawjson" && got != want {
			t.Errorf("%s: got %q", mode, got)
		}
	}
}
