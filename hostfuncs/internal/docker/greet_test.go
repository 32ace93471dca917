package docker

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/supported"
)

// TestConnectVersions refuses an engine below the least version, and takes any
// other silently, those that are newer than all that was tested too.
func TestConnectVersions(t *testing.T) {
	for _, tt := range []struct {
		engine, asked string // versions of the API: the engine's, and DOCKER_API_VERSION
		want          string // of the error, empty for none
	}{
		{"1.24", "", "expected version 1.41 or later of its API (Docker 20.10 or Podman 4.0), got 1.24; update the engine"},
		{"1.40", "", "got 1.40"},
		{"1.9", "", "got 1.9"},
		{supported.EngineAPI, "", ""},
		{"1.52", "", ""},
		{"1.99", "", ""},
		{"2.0", "", ""},
		{"1.52", "1.40", "got 1.40; update the engine, and unset DOCKER_API_VERSION where it names an older version"},
		{"1.52", "1.44", ""},
	} {
		env := serveSocket(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/_ping" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.Header().Set("Api-Version", tt.engine)
		})
		env["DOCKER_API_VERSION"] = tt.asked
		e, err := Connect(t.Context(), environ(env))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s, %q: %v", tt.engine, tt.asked, err)
				continue
			}
			e.Close()
			continue
		}
		old, ok := errors.AsType[*UnavailableError](err)
		if !ok || !old.TooOld || !strings.HasPrefix(err.Error(), "cannot use the Docker engine at "+env["DOCKER_HOST"]+" (from DOCKER_HOST): ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %q: got %v", tt.engine, tt.asked, err)
		}
	}
}
