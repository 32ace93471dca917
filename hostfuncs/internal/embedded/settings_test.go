package embedded

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePorts(t *testing.T) {
	for word, want := range map[string]string{
		"80": "80/tcp", "80/UDP": "80/udp", "1-3/sctp": "1/sctp 2/sctp 3/sctp", "8080:80": "80/tcp", "1.2.3.4:8080:80": "80/tcp",
		"[::1]:8080:80/udp": "80/udp", "[::1]::80": "80/tcp", "1-2:3-4": "3/tcp 4/tcp", "1-9:3": "3/tcp", "0": "0/tcp", "65535": "65535/tcp",
	} {
		got, err := parsePorts(word)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v, want %s", word, got, err, want)
		}
	}
	for _, word := range []string{"", "x", "-1", "1-", "65536", "1/x", "x:1", "1.2.3:1:1", "1-2:3-5", "2-1", ":", "/tcp"} {
		if got, err := parsePorts(word); err == nil {
			t.Errorf("%s: %v", word, got)
		}
	}
}

func TestSignals(t *testing.T) {
	for name, want := range map[string]bool{
		"9": true, "64": true, "SIGTERM": true, "term": true, "RTMIN+15": true, "SIGRTMAX-1": true,
		"0": false, "65": false, "": false, "SIG": false, "NO": false, "RTMIN+16": false, "RTMIN+": false, "RTMAX-15": false,
	} {
		if got := isSignal(name); got != want {
			t.Errorf("isSignal(%s) = %v", name, got)
		}
	}
}

// TestSteps has what is told, and labels that the build adds.
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
		t.Errorf("told %q, want %q", steps, want)
	}
}
