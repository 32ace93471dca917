package build

import (
	"strings"
	"testing"
	"time"
)

// TestSurvey asks each engine for tests, and a BuildKit daemon.
func TestSurvey(t *testing.T) {
	eachRig(t, func(t *testing.T, r rig) {
		getenv := func(name string) string {
			return map[string]string{"DOCKER_HOST": r.host, "DOCKER_CONFIG": r.config}[name]
		}
		s := SurveyDocker(t.Context(), getenv)
		switch {
		case s.Err != nil:
			t.Fatal(s.Err)
		case s.Address != r.host || s.From != "DOCKER_HOST" || s.Default:
			t.Errorf("it is at %s from %s, default %v", s.Address, s.From, s.Default)
		case !strings.Contains(s.Name, " (API 1."):
			t.Errorf("its name is %q", s.Name)
		case r.about.Podman != (s.BuildKit == ""):
			t.Errorf("its BuildKit is %q", s.BuildKit)
		case !s.HasClock || s.Ahead.Abs() > time.Minute:
			t.Errorf("its clock is %v ahead, %v", s.Ahead, s.HasClock)
		}
		if d := SurveyDaemon(t.Context(), r.daemon); d.Err != nil || !strings.HasPrefix(d.BuildKit, "v0.") {
			t.Errorf("the daemon: %q, %v", d.BuildKit, d.Err)
		}
	})
}

// TestSurveyHidesPasswords: an address may have one.
func TestSurveyHidesPasswords(t *testing.T) {
	for _, host := range []string{"tcp://me:hush@127.0.0.1:1", "tcp://me:hu%hush@127.0.0.1:1", "tcp://hush@[", "ssh://me:hush@host"} {
		s := SurveyDocker(t.Context(), func(name string) string { return map[string]string{"DOCKER_HOST": host}[name] })
		if s.Err == nil {
			t.Fatalf("%s: an engine answers", host)
		}
		if said := s.Address + s.Err.Error() + s.Hint; strings.Contains(said, "hush") {
			t.Errorf("%s: got %s", host, said)
		}
	}
}
