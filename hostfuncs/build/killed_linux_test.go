package build

import (
	"crypto/rand"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestDaemonIsKilled kills the daemon while a step of a build runs.
func TestDaemonIsKilled(t *testing.T) {
	r := daemonRig(t)
	daemon := providertest.StartBuildKit(t, providertest.BuildKitOptions{})
	if _, err := compileTool(); err != nil {
		t.Fatal(err)
	}
	temp := ownTemp(t)
	h := hang(t.Context(), t, r, daemonAt(t, daemon.Address))
	daemon.Kill()
	h.wantLine(t, await(t, "the build", h.reply), abi.CodeUnavailable, daemon.Address)
	h.step.wantGone(t)
	wantNobody(t)
	wantEmpty(t, temp)
}

// TestEngineGoesAway cuts the connection to each engine while a step of a build
// runs: the engine, which is still there, ends the step.
func TestEngineGoesAway(t *testing.T) { eachRig(t, testEngineGoesAway) }

func testEngineGoesAway(t *testing.T, r rig) {
	for _, engine := range r.running() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			way := r.through(t, &engine)
			temp := ownTemp(t)
			h := hang(t.Context(), t, way.rig, engine)
			way.cut()
			h.wantLine(t, await(t, "the build", h.reply), abi.CodeUnavailable, way.socket)
			h.step.wantGone(t)
			wantNobody(t)
			wantEmpty(t, temp)
		})
	}
}

// TestEngineGoesAwayWithTheImage cuts the connection in the middle of the image
// that is on its way to a file and to a directory: nothing of it stays.
func TestEngineGoesAwayWithTheImage(t *testing.T) { eachRig(t, testEngineGoesAwayWithTheImage) }

func testEngineGoesAwayWithTheImage(t *testing.T, r rig) {
	const size = 4 << 20
	noise := make([]byte, size)
	_, _ = rand.Read(noise)
	for _, engine := range r.running() {
		for _, kind := range []string{"tar", "oci"} {
			t.Run(string(engine.Kind)+" "+kind, func(t *testing.T) {
				engine := engine
				way := r.through(t, &engine)
				way.left = size / 2
				temp, out := ownTemp(t), imagetest.Dir(t)
				s := way.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY noise /\n", "noise": string(noise)})
				s.Builds.Outputs = []Output{{Layout: kind == "oci", Path: filepath.Join(out, "image")}}
				s.wantLine(t, s.build(t.Context(), t, "shop:cut", false), abi.CodeUnavailable, way.socket)
				wantEmpty(t, out)
				wantEmpty(t, temp)
				wantNobody(t)
			})
		}
	}
}

// way leads to an engine until it is cut.
type way struct {
	rig
	socket string
	to     string
	listen net.Listener

	mu    sync.Mutex
	conns []net.Conn
	left  int // bytes of the engine's before it is cut; 0 is all of them
}

// through has an engine reached by a way that can be cut.
func (r rig) through(t *testing.T, e *Engine) *way {
	t.Helper()
	w := &way{rig: r, socket: filepath.Join(imagetest.ShortDir(t), "s")}
	at := "unix://" + w.socket
	if e.Kind == Docker {
		w.to, w.host = strings.TrimPrefix(r.host, "unix://"), at
	} else {
		w.to, e.Address = strings.TrimPrefix(e.Address, "unix://"), at
	}
	var err error
	if w.listen, err = net.Listen("unix", w.socket); err != nil {
		t.Fatal(err)
	}
	go w.accept()
	t.Cleanup(w.cut)
	return w
}

func (w *way) accept() {
	for {
		from, err := w.listen.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("unix", w.to)
		if err != nil {
			from.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, from, to)
		w.mu.Unlock()
		go w.pass(to, from, false)
		go w.pass(from, to, true)
	}
}

// pass passes on what one side says, and then that it has no more to say.
func (w *way) pass(to, from net.Conn, counted bool) {
	_, _ = io.Copy(writer(func(p []byte) (int, error) {
		if counted && !w.may(len(p)) {
			w.cut()
		}
		return to.Write(p)
	}), from)
	if half, ok := to.(*net.UnixConn); ok {
		_ = half.CloseWrite()
	}
}

// may reports whether so many bytes more may pass.
func (w *way) may(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left == 0 {
		return true
	}
	w.left = max(w.left-n, 1)
	return w.left > 1
}

// cut ends all connections, and lets nobody connect again.
func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listen.Close()
	for _, c := range w.conns {
		c.Close()
	}
}

type writer func(p []byte) (int, error)

func (f writer) Write(p []byte) (int, error) { return f(p) }
