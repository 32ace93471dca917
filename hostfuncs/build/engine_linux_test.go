package build

import (
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestEngineIsKilled kills a Docker engine while a step of a build runs.
func TestEngineIsKilled(t *testing.T) { providertest.DockerEngines(t, testEngineIsKilled) }

func testEngineIsKilled(t *testing.T, e providertest.Engine) {
	engine := providertest.StartDocker(t, providertest.DockerOptions{Like: e})
	r := rig{host: engine.Address, config: t.TempDir()}
	if _, err := compileTool(); err != nil {
		t.Fatal(err)
	}
	temp := ownTemp(t)
	h := hang(t.Context(), t, r, dockerKind)
	engine.Kill()
	h.wantLine(t, await(t, "the build", h.reply), abi.CodeUnavailable, strings.TrimPrefix(engine.Address, "unix://"))
	h.step.wantGone(t)
	wantNobody(t)
	wantEmpty(t, temp)
}

// TestEngineTLS builds with a Docker engine at a port, which wants a certificate
// as we want one of it: BuildKit's streams go the same way.
func TestEngineTLS(t *testing.T) { providertest.DockerEngines(t, testEngineTLS) }

func testEngineTLS(t *testing.T, e providertest.Engine) {
	ours, others := newAuthority(t), newAuthority(t)
	later := time.Now().Add(time.Hour)
	engine := providertest.StartDocker(t, providertest.DockerOptions{Like: e, Certs: ours.directory(t, ours, "127.0.0.1", later)})
	r := rig{host: engine.Address, config: t.TempDir()}
	for _, tt := range []struct {
		name, certs, verify string
		want                string // empty for an image
	}{
		{name: "right", certs: ours.directory(t, ours, "client", later), verify: "1"},
		{name: "another authority here", certs: ours.directory(t, others, "client", later), verify: "1", want: "certificate signed by unknown authority"},
		{name: "another authority there", certs: others.directory(t, ours, "client", later), verify: "1", want: "certificate"},
		{name: "no TLS", want: "HTTP request to an HTTPS server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			engine := dockerKind
			s := r.site(t, engine, withTool(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY tool /tool\nRUN [\"/tool\", \"links\"]\n"}))
			s.policy = strings.Replace(allowEach, "engines: [", "engines: ['docker+tcp://127.0.0.1:*', ", 1)
			if tt.verify != "" {
				s.Environ = append(s.Environ, "DOCKER_TLS_VERIFY="+tt.verify, "DOCKER_CERT_PATH="+tt.certs)
			}
			reply := s.build(t.Context(), t, "shop:tls", false)
			if tt.want != "" {
				s.wantLine(t, reply, abi.CodeUnavailable, r.host, tt.want)
				return
			}
			hosttest.As[abi.DockerBuildResult](t, reply)
			if shown := s.progress.String(); !strings.Contains(shown, "interfaces: ") || strings.Contains(shown, "classic build API") {
				t.Errorf("it was not built with BuildKit:\n%s", shown)
			}
		})
	}
}
