package docker

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

func TestConnect(t *testing.T) { eachEngine(t, testConnect) }

func testConnect(t *testing.T, e *Engine) {
	if _, ok, err := e.Find(t.Context(), "stagecraft.test/never/built"); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestConnectByContext(t *testing.T) { eachEngine(t, testConnectByContext) }

func testConnectByContext(t *testing.T, e *Engine) {
	dir := t.TempDir()
	writeContext(t, dir, "tests", e.Address())
	e = connected(t, map[string]string{"DOCKER_CONTEXT": "tests", "DOCKER_CONFIG": dir})
	if e.at.from != `context "tests"` {
		t.Errorf("from %s", e.at.from)
	}
}

func TestConnectUnavailable(t *testing.T) {
	dir := imagetest.ShortDir(t)
	refusing := filepath.Join(dir, "refusing")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: refusing, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	listener.Close()
	stranger := serveSocket(t, func(w http.ResponseWriter, r *http.Request) {})["DOCKER_HOST"]
	broken := serveSocket(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "\x1b[31mout of order", http.StatusForbidden)
	})["DOCKER_HOST"]
	for _, tt := range []struct {
		name, host string
		is         error
		want       []string
	}{
		{"no socket", "unix://" + dir + "/none", fs.ErrNotExist, []string{"unix://" + dir + "/none", "from DOCKER_HOST", "no such file", "start Docker"}},
		{"nobody listens", "unix://" + refusing, syscall.ECONNREFUSED, []string{"connection refused", "start Docker"}},
		{"nobody listens by TCP", "tcp://127.0.0.1:1", nil, []string{"tcp://127.0.0.1:1", "DOCKER_HOST"}},
		{"another service", stranger, nil, []string{"the program that answers is not a Docker engine"}},
		{"broken", broken, nil, []string{"out of order"}},
		{"ssh", "ssh://me@far:2222/x", nil, []string{"ssh -nNT -L", "-p 2222 me@far", "DOCKER_HOST=unix://"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Connect(t.Context(), environ(map[string]string{"DOCKER_HOST": tt.host}))
			if _, ok := errors.AsType[*UnavailableError](err); !ok {
				t.Fatalf("got %v", err)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v is no %v", err, tt.is)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in %q", want, err)
				}
			}
			if strings.Contains(err.Error(), "\x1b") {
				t.Errorf("an escape in %q", err)
			}
		})
	}
}

func TestConnectSocketForbidden(t *testing.T) {
	err := endpoint{host: "unix:///s", from: "the default"}.unavailable(
		&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}, advice(syscall.EACCES))
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "group docker") {
		t.Errorf("got %q", err)
	}
}

func TestConnectSilentEngine(t *testing.T) {
	over := make(chan struct{})
	env := serveSocket(t, func(http.ResponseWriter, *http.Request) { <-over })
	defer close(over)
	_, err := connect(t.Context(), environ(env), 20*time.Millisecond)
	if _, ok := errors.AsType[*UnavailableError](err); !ok || !strings.Contains(err.Error(), "no answer within 20ms") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Connect(ctx, environ(env)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v when it was cancelled", err)
	}
}

func TestConnectTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	host := "tcp://" + server.Listener.Addr().String()
	certs := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(certs, "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	imagetest.Write(t, broken, map[string]string{"ca.pem": "no certificate"})
	for _, tt := range []struct {
		name string
		env  map[string]string
		ok   bool
	}{
		{"known authority", map[string]string{"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs}, true},
		{"by the configuration", map[string]string{"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CONFIG": certs}, true},
		{"unknown authority", map[string]string{"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": t.TempDir()}, false},
		{"broken authority", map[string]string{"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": broken}, false},
		{"without TLS", map[string]string{"DOCKER_HOST": host}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Connect(t.Context(), environ(tt.env))
			if (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
			if err == nil {
				e.Close()
			} else if _, ok := errors.AsType[*UnavailableError](err); !ok {
				t.Errorf("got a %T: %v", err, err)
			}
		})
	}
}

func TestConnectAPIVersion(t *testing.T) {
	for version, want := range map[string]string{"": "1.41", "1.45": "1.45"} {
		env := standIn(t, "/", nil)
		env["DOCKER_API_VERSION"] = version
		if got := connected(t, env).client.ClientVersion(); got != want {
			t.Errorf("with %q version %s is spoken, want %s", version, got, want)
		}
	}
}

func TestFindCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := connected(t, standIn(t, "/images/x/json", func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	if _, ok, err := e.Find(ctx, "x"); ok || err != context.Canceled {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestFindUnavailable(t *testing.T) {
	env := standIn(t, "/images/x/json", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	if _, _, err := connected(t, env).Find(t.Context(), "x"); err == nil {
		t.Error("an error counts as no image")
	}
	e := connected(t, serveSocket(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		if r.URL.Path != "/_ping" {
			panic(http.ErrAbortHandler)
		}
	}))
	_, _, err := e.Find(t.Context(), "x")
	if _, ok := errors.AsType[*UnavailableError](err); !ok {
		t.Errorf("got %v", err)
	}
}
