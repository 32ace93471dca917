package exec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/screen"
)

// printed is what the user sees when each of these programs prints a line, one
// after another, on both streams.
func printed(t *testing.T, colour bool, names ...string) (stdout, stderr string) {
	t.Helper()
	p := newProject(t, nil)
	p.Screen = screen.New(screen.Options{Stdout: p.Stdout, Stderr: p.Stderr, Colour: colour})
	r := NewRunner(p.Options)
	outputs := make([]*output, len(names))
	for i, name := range names {
		outputs[i] = r.newOutput(name, false, lookout{})
	}
	for i, o := range outputs {
		fmt.Fprintf(o.stdout, "out %d\n", i+1)
		fmt.Fprintf(o.stderr, "err %d\n", i+1)
		if err := o.close(); err != nil {
			t.Error(err)
		}
	}
	return p.Stdout.(*strings.Builder).String(), p.Stderr.(*strings.Builder).String()
}

// TestPrefix has the names before the lines of several programs, plain and in
// colour. One program alone has none.
func TestPrefix(t *testing.T) {
	for _, tt := range []struct {
		colour bool
		names  []string
		want   string // on standard output; standard error has the like
	}{
		{false, []string{"api"}, "out 1\n"},
		{true, []string{"api"}, "out 1\n"},
		{false, []string{"api", "web"}, "api | out 1\nweb | out 2\n"},
		{true, []string{"api", "web"}, "\x1b[33mapi | \x1b[0mout 1\n\x1b[35mweb | \x1b[0mout 2\n"},
	} {
		stdout, stderr := printed(t, tt.colour, tt.names...)
		if stdout != tt.want || stderr != strings.ReplaceAll(tt.want, "out", "err") {
			t.Errorf("%v, colour %v: got %q and %q, want %q", tt.names, tt.colour, stdout, stderr, tt.want)
		}
	}
}
