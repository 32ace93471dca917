package dotenv

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

func lookupTwo(name string) (string, bool) {
	value, ok := map[string]string{"HOST": "h", "EMPTY": ""}[name]
	return value, ok
}

// FuzzStatements wants the same of a file, statement by statement, as Compose's
// reader makes of the whole of it.
func FuzzStatements(f *testing.F) {
	for _, seed := range []string{
		"A=1\nB=${A}${HOST}\n", "A=\"x\ny\"B='$A'\nexport C=$B # no", "# a\n\n A : b\r\nHOST\nNONE\nEMPTY", "A=\"a\\\"b\" B=\"$A\"\n", "A='\\'b'\n",
		"A=\n\"x\"\n", "A=\"x", "A=\\\nB=2", "=x\n", "A", "\uFEFFA=1\n\uFEFFB=2", "A=${B:-${HOST}}\nB=$A\nA=$B$A", "A=\"\\\\\"\nB=1", "a b=1", "A=$$x\nB=\"\\$A\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		quiet()
		got, err := expand(data, lookupTwo)
		if errors.Is(err, errTooMuch) || errors.Is(err, errTooDense) {
			return // and Compose's reader might not end
		}
		want, wantErr := dotenv.ParseWithLookup(bytes.NewReader(data), lookupTwo)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, Compose says %v", data, err, wantErr)
		}
		if err == nil && !maps.Equal(got, want) {
			t.Errorf("%q: got %q, Compose makes %q", data, got, want)
		}
	})
}

// TestParseDense wants references within references to end.
func TestParseDense(t *testing.T) {
	const many = 20_000
	text := "A=" + strings.Repeat("${A:-", many) + strings.Repeat("}", many)
	if _, err := Parse([]byte(text), lookupTwo); !errors.Is(err, errTooDense) {
		t.Error(err)
	}
}

// TestParseBounded wants values made of others to end.
func TestParseBounded(t *testing.T) {
	var doubled strings.Builder
	doubled.WriteString("A0=0123456789\n")
	for i := range 40 {
		fmt.Fprintf(&doubled, "A%d=\"${A%d}${A%d}\"", i+1, i, i)
	}
	for name, text := range map[string]string{
		"doubled":   doubled.String(),
		"on a line": "A=" + strings.Repeat("x", 1000) + "\nB=" + strings.Repeat("$A", 10_000),
	} {
		if _, err := Parse([]byte(text), lookupTwo); !errors.Is(err, errTooMuch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
