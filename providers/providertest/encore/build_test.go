//go:build linux || darwin

package main

import (
	"archive/tar"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const success = "successfully exported app as docker image"

// engine is as much of a Docker engine as a build needs; it notes the tags and
// the Dockerfiles, and fails those with the tag "broken".
func engine(t *testing.T) (host string, built *[]string) {
	t.Helper()
	// A socket's path has to be short, and TMPDIR may not be.
	dir, err := os.MkdirTemp("/tmp", "e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ln, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	built = new([]string)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tr := tar.NewReader(r.Body)
		_, err := tr.Next()
		data, _ := io.ReadAll(tr)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/build" {
			http.Error(w, "no build", http.StatusBadRequest)
			return
		}
		tag := r.URL.Query().Get("t")
		if tag == "broken" {
			fmt.Fprintln(w, `{"stream": "Step 1"}`+"\n"+`{"error": "no space left"}`)
			return
		}
		*built = append(*built, tag+" "+string(data))
		fmt.Fprintln(w, `{"stream": "done"}`)
	})}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	return "unix://" + ln.Addr().String(), built
}

func TestBuild(t *testing.T) {
	host, built := engine(t)
	for name, tt := range map[string]struct {
		steer, args string
		code        int
		want        string // on standard error; "" for no success line
		image       string // in what the engine built
	}{
		"image":            {"", "shop:1", 0, success, `shop:1 FROM scratch`},
		"default arch":     {"", "shop:1 --skip-config", 0, success, `dev.encore.arch="amd64"`},
		"arch":             {"", "--arch arm64 --base alpine shop:1", 0, success, `dev.encore.base="alpine" dev.encore.arch="arm64"`},
		"needs a config":   {`{"needs_infra": true}`, "shop:1", 1, "Your infra configuration is incomplete", ""},
		"has a config":     {`{"needs_infra": true}`, "shop:1 --config encore.app", 0, success, "shop:1"},
		"skips the config": {`{"needs_infra": true}`, "shop:1 --skip-config", 0, success, "shop:1"},
		"no such config":   {"", "shop:1 --config none.json", 1, "none.json: no such file", ""},
		"compile error":    {`{"compile_error": "boom"}`, "shop:1", 1, "boom", ""},
		"engine's error":   {"", "broken", 1, "no space left", ""},
		"no image":         {`{"no_image": true}`, "shop:1", 0, "", ""},
		"lying":            {`{"lying_success": true}`, "shop:1", 0, success, ""},
		"pushed":           {"", "-p shop:1", 0, success, ""},
	} {
		t.Run(name, func(t *testing.T) {
			*built = nil
			w := newWorld(t, tt.steer)
			w.env = append(w.env, "DOCKER_HOST="+host)
			got := w.run("", append([]string{"build", "docker"}, strings.Fields(tt.args)...)...)
			if got.code != tt.code || got.stdout != "" || !strings.Contains(got.stderr, tt.want) {
				t.Errorf("%+v", got)
			}
			if strings.Contains(got.stderr, success) != (tt.want == success) {
				t.Errorf("success line: %+v", got)
			}
			if all := strings.Join(*built, ""); (all != "") != (tt.image != "") || !strings.Contains(all, tt.image) {
				t.Errorf("built %q", *built)
			}
			if w.state.has("pushed.json") != (name == "pushed") {
				t.Error("pushed.json")
			}
		})
	}
}

func TestBuildNeedsInfraOfApp(t *testing.T) {
	w := newWorld(t, "")
	w.write(filepath.Join(w.app, "encore.app"), `{"standin": {"needs_infra": true}}`)
	if got := w.run("", "build", "docker", "a"); got.code != 1 || !strings.Contains(got.stderr, "Your infra configuration is incomplete") {
		t.Errorf("%+v", got)
	}
}

func TestBuildWithoutEngine(t *testing.T) {
	for _, host := range []string{"", "unix:///nowhere.sock"} {
		w := newWorld(t, "")
		w.env = append(w.env, "DOCKER_HOST="+host)
		if got := w.run("", "build", "docker", "a"); got.code != 1 || !strings.Contains(got.stderr, "cannot connect to the Docker daemon") {
			t.Errorf("DOCKER_HOST=%s: %+v", host, got)
		}
	}
}

func TestBuildInterrupted(t *testing.T) {
	w := newWorld(t, `{"slow_start_ms": 60000}`)
	s := w.start("build", "docker", "a")
	s.shows("compiling Encore application for linux/amd64")
	s.signal(syscall.SIGINT)
	if got := s.wait(); got.code != 0 || strings.Contains(got.stderr, success) {
		t.Errorf("interrupted: %+v", got)
	}
	s = w.start("build", "docker", "a")
	s.shows("compiling")
	w.killDaemon()
	if got := s.wait(); got.code != 0 || strings.Contains(got.stderr, success) {
		t.Errorf("without its daemon: %+v", got)
	}
}

func TestBuildHangsInWorktree(t *testing.T) {
	w := newWorld(t, "")
	w.write(filepath.Join(w.app, ".git"), "gitdir: elsewhere\n")
	w.write(filepath.Join(w.app, "services", "encore.app"), "{}")
	w.app = filepath.Join(w.app, "services")
	s := w.start("build", "docker", "a")
	w.until("it was called", func() bool { return w.state.has("calls.jsonl") })
	// Otherwise it would say at once that there is no engine.
	said := make(chan error, 1)
	go func() { _, err := s.stderr.Peek(1); said <- err }()
	select {
	case <-said:
		t.Fatal("it goes on")
	case <-time.After(500 * time.Millisecond):
	}
	s.signal(syscall.SIGINT)
	<-said
	if got := s.wait(); got.code != -int(syscall.SIGINT) || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	if w.state.has("daemon.pid") {
		t.Error("it came as far as the daemon")
	}
}
