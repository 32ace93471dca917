package embedded

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSteps covers what is reported, and labels that the build adds.
func TestSteps(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch AS a\nLABEL x=1 y=2\nFROM a\nCOPY \\\n  f /\x1b[31m/\n", "f": ""})
	o := options(t, b)
	o.Labels = map[string]string{"y": "3", "z": "4"}
	var steps []string
	o.Step = func(step string) { steps = append(steps, step) }
	built := mustBuild(t, b, o)
	if diff := cmp.Diff(map[string]string{"x": "1", "y": "3", "z": "4"}, built.Config.Config.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	want := []string{"[1/4] FROM scratch", "[2/4] LABEL x=1 y=2", "[3/4] FROM a", "[4/4] COPY f //"}
	for i, step := range steps {
		steps[i] = strings.Join(strings.Fields(step), " ")
	}
	if !slices.Equal(steps, want) {
		t.Errorf("reported %q, want %q", steps, want)
	}
}
