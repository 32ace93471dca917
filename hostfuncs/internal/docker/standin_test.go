package docker

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// standIn is an engine that answers one path as the test says, for what no
// real engine can be made to do. Any request but that one, a ping and one for the
// version is an error of the test. It returns the environment that names it.
func standIn(t *testing.T, path string, answer http.HandlerFunc) map[string]string {
	t.Helper()
	return serveSocket(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.RequestURI, "/"):
			t.Errorf("the request went through a proxy: %s", r.RequestURI)
		case r.URL.Path == "/_ping":
			w.Header().Set("Api-Version", "1.41")
		case r.URL.Path == "/v1.41/version":
			answering(200, `{"Components": [{"Name": "Engine"}]}`)(w, r)
		case r.URL.Path == "/v1.41"+path:
			answer(w, r)
		default:
			t.Errorf("unexpected request %s %s", r.Method, r.RequestURI)
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

// serveSocket serves HTTP on a new socket.
func serveSocket(t *testing.T, handler http.HandlerFunc) map[string]string {
	t.Helper()
	path := filepath.Join(imagetest.ShortDir(t), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	return map[string]string{"DOCKER_HOST": "unix://" + path, "DOCKER_CONFIG": t.TempDir()}
}

// aBuild is a build of a context with nothing of interest in it.
func aBuild(t *testing.T) image.Build {
	t.Helper()
	dir, dockerfile := imagetest.Context(t, nil)
	return image.Build{Context: dir, Dockerfile: dockerfile}
}
