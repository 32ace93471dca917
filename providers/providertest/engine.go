package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// The variables that .ci/with-engine sets for tests, and with which users name an
// engine of their own.
const (
	enginesEnv  = "STAGECRAFT_TEST_ENGINES"
	dockerdsEnv = "STAGECRAFT_TEST_DOCKERDS"
	ownEnv      = "STAGECRAFT_TEST_DOCKER_HOST"
	leftOutEnv  = "STAGECRAFT_TEST_LEFT_OUT"
)

// ErrNoEngine is why a test is skipped.
var ErrNoEngine = errors.New("engine tests left out: " + enginesEnv + " and " + ownEnv + " are not set; see .ci/with-engine")

// Engine is an engine for tests.
type Engine struct {
	Name string // such as docker-20.10, docker-29, podman; "own" for a user's
	Host string // its address, as DOCKER_HOST has it
	// Dockerd is the path of the program, for tests that start one of their own;
	// empty where the engine is not Docker.
	Dockerd string
}

// engines are those for tests, in their order.
func engines() (all []Engine) {
	dockerds := maps.Collect(named(dockerdsEnv))
	for name, host := range named(enginesEnv) {
		all = append(all, Engine{Name: name, Host: host, Dockerd: dockerds[name]})
	}
	if host := os.Getenv(ownEnv); host != "" && len(all) == 0 {
		all = append(all, Engine{Name: "own", Host: host, Dockerd: "dockerd"})
	}
	return all
}

// named returns the lines NAME=VALUE of a variable.
func named(variable string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for line := range strings.Lines(os.Getenv(variable)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !yield(name, value) {
				return
			}
		}
	}
}

// EngineHost returns the address of the first engine for tests, empty if there is none.
func EngineHost() string {
	if all := engines(); len(all) > 0 {
		return all[0].Host
	}
	return ""
}

// Engines runs a test with each engine for tests, as a subtest of its name. If there
// is none, the test is skipped, and fails with CI=true.
func Engines(t *testing.T, test func(*testing.T, Engine)) {
	t.Helper()
	enginesWith(t, "engine for tests", func(Engine) bool { return true }, test)
}

// BuildKitEngines is [Engines] for those that have a BuildKit.
func BuildKitEngines(t *testing.T, test func(*testing.T, Engine)) {
	t.Helper()
	enginesWith(t, "BuildKit in an engine for tests", func(e Engine) bool { return e.About(t).BuildKit }, test)
}

// DockerEngines is [Engines] for those of which tests can start one of their own,
// see [StartDocker].
func DockerEngines(t *testing.T, test func(*testing.T, Engine)) {
	t.Helper()
	enginesWith(t, "dockerd of an engine for tests", func(e Engine) bool { return e.Dockerd != "" }, test)
}

func enginesWith(t *testing.T, what string, has func(Engine) bool, test func(*testing.T, Engine)) {
	t.Helper()
	NeedEngine(t)
	ran := false
	for _, e := range engines() {
		if has(e) {
			ran = true
			t.Run(e.Name, func(t *testing.T) { test(t, e) })
		}
	}
	if !ran {
		t.Skip("there is no " + what)
	}
}

// NeedEngine returns the address of the first engine for tests. If there is none, the
// test is skipped, and fails with CI=true.
func NeedEngine(t testing.TB) string {
	t.Helper()
	host, fatal, err := FirstEngine(t.Name())
	switch {
	case fatal:
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	return host
}

// FirstEngine returns the address of the first engine for tests. If there is none, it
// notes the test's name, for the number of skipped tests at the end of the run; with
// CI=true the error is fatal.
func FirstEngine(test string) (host string, fatal bool, err error) {
	if host := EngineHost(); host != "" {
		return host, false, nil
	}
	if err := noteLeftOut(test); err != nil {
		return "", true, err
	}
	return "", os.Getenv("CI") == "true", ErrNoEngine
}

// noteLeftOut adds a test to the list of skipped tests.
func noteLeftOut(test string) error {
	file := os.Getenv(leftOutEnv)
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(test + "\n")
	return errors.Join(err, f.Close())
}

// EngineAbout describes an engine.
type EngineAbout struct {
	BuildKit   bool // it builds with BuildKit; otherwise by the classic build API alone
	Podman     bool
	Containerd bool // its images are in containerd's store
}

// About asks the engine, so that a test's expectations depend on the engine itself, not
// on its name.
func (e Engine) About(t testing.TB) EngineAbout {
	t.Helper()
	var info struct {
		DriverStatus [][2]string
	}
	ping, err := e.get(t.Context(), "/_ping", nil)
	podman := ping.Get("Libpod-Api-Version") != ""
	if err == nil {
		_, err = e.get(t.Context(), "/info", &info)
	}
	if err != nil {
		t.Fatalf("%s: %v", e.Name, err)
	}
	// Docker has a BuildKit since 18.09, whichever builder it names as its default.
	about := EngineAbout{BuildKit: !podman, Podman: podman}
	for _, status := range info.DriverStatus {
		about.Containerd = about.Containerd || status == [2]string{"driver-type", "io.containerd.snapshotter.v1"}
	}
	return about
}

// get sends the engine a request without an API version and returns the headers.
func (e Engine) get(ctx context.Context, path string, into any) (http.Header, error) {
	network, address, _ := strings.Cut(e.Host, "://")
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	if into != nil {
		err = json.NewDecoder(answer.Body).Decode(into)
	}
	return answer.Header, err
}
