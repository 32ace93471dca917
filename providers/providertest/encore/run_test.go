//go:build linux || darwin

package main

import (
	"io"
	"net"
	"net/http"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const ready = "Your API is running at:     "

func TestRunLifecycle(t *testing.T) {
	w := newWorld(t, `{"print_env": ["TOKEN", "OTHER"]}`)
	w.env = append(w.env, "TOKEN=s3cret", "NO_COLOR=1")
	w.write(filepath.Join(w.app, ".gitignore"), "node_modules")
	for range 2 {
		port := freePort(t)
		s := w.start("run", "--listen", "127.0.0.1:"+port, "--browser", "never")
		s.shows("Encore development server running!")
		s.shows(ready + "\x1b[36mhttp://127.0.0.1:" + port + "\x1b[0m")
		s.shows("TOKEN=s3cret")
		s.shows("OTHER=(not set)")
		resp, err := http.Get("http://127.0.0.1:" + port + "/any/path")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if resp.Body.Close(); err != nil || string(body) != "encore stand-in: GET /any/path\n" {
			t.Errorf("answer %q, %v", body, err)
		}
		s.signal(syscall.SIGINT)
		if got := s.wait(); got.code != 0 {
			t.Errorf("%+v", got)
		}
		if !taken(port) {
			t.Error("the port is free as soon as the command has ended")
		}
		w.until("the port is free", func() bool { return !taken(port) })
	}
	if got := w.read(filepath.Join(w.app, ".gitignore")); got != "node_modules\n/.encore\n" {
		t.Errorf(".gitignore has %q", got)
	}
	w.read(filepath.Join(w.app, ".encore", "manifest.json"))
}

func TestRunSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
		if signal.Ignored(sig) {
			continue // as below nohup; it is what the program would do too
		}
		w := newWorld(t, "")
		port := freePort(t)
		s := w.start("run", "-p", port)
		s.shows(ready)
		s.signal(sig)
		if got := s.wait(); got.code != -int(sig) {
			t.Errorf("%s: %+v", sig, got)
		}
		w.until("the port is free", func() bool { return !taken(port) })
	}
}

// TestRunLingers has an app that outlives its command by more than usual.
func TestRunLingers(t *testing.T) {
	w := newWorld(t, `{"linger_ms": 1500}`)
	port := freePort(t)
	s := w.start("run", "-p", port)
	s.shows(ready)
	begun := time.Now()
	s.signal(syscall.SIGINT)
	if got := s.wait(); got.code != 0 {
		t.Errorf("%+v", got)
	}
	w.until("the port is free", func() bool { return !taken(port) })
	if took := time.Since(begun); took < 1500*time.Millisecond {
		t.Errorf("the port was free after %v", took)
	}
}

func TestRunInterruptedEarly(t *testing.T) {
	w := newWorld(t, `{"slow_start_ms": 60000}`)
	port := freePort(t)
	s := w.start("run", "-p="+port)
	// The port is taken before the app is compiled.
	w.until("the port is taken", func() bool { return taken(port) })
	s.signal(syscall.SIGINT)
	if got := s.wait(); got.code != 0 || got.stderr != "" {
		t.Errorf("%+v", got)
	}
}

func TestRunFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	inUse := ln.Addr().String()
	for name, tt := range map[string]struct {
		steer, listen string
		code          int
		want          string
	}{
		"port in use":       {`{"compile_error": "later"}`, inUse, 1, "Failed to run on " + inUse + " - port is already in use"},
		"port too high":     {"", "localhost:70000", 1, "Failed to run on localhost:70000 - listen tcp: address 70000: invalid port"},
		"compile error":     {`{"compile_error": "boom: x.go:1"}`, ":PORT", 1, "boom: x.go:1\n"},
		"name":              {`{"compile_error": "later"}`, "shop.test:PORT", 1, "\x1b[31mFailed to run on shop.test:PORT - listen tcp: lookup shop.test: no such host\x1b[0m\nNote: specify \x1b[36m--port=NUMBER\x1b[0m"},
		"crash, unanswered": {`{"crash_after_ms": 10, "mute": true}`, "localhost:PORT", 0, ready},
		"crash":             {`{"crash_after_ms": 1}`, "localhost:PORT", 0, "panic: app crashed\n"},
		"no host":           {`{"crash_after_ms": 1}`, ":PORT", 0, "http://localhost:PORT"},
		"host alone":        {`{"crash_after_ms": 1}`, "127.0.0.1", 0, "http://127.0.0.1:PORT"},
		"nothing":           {`{"crash_after_ms": 1}`, "", 0, "http://127.0.0.1:PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			listen, want := strings.ReplaceAll(tt.listen, "PORT", port), strings.ReplaceAll(tt.want, "PORT", port)
			got := newWorld(t, tt.steer).run("", "run", "-w=false", "-p", port, "--listen="+listen, "--level", "warn", "--json")
			if got.code != tt.code || got.stdout != "" || !strings.Contains(got.stderr, want) {
				t.Errorf("%+v", got)
			}
			if tt.code == 1 && (strings.Contains(got.stderr, ready) || taken(port)) {
				t.Error("it listened, or does")
			}
		})
	}
}

func TestDaemonDies(t *testing.T) {
	for _, args := range []string{"run -p " + freePort(t), "build docker a"} {
		if got := newWorld(t, `{"daemon_dies": true}`).run("", strings.Fields(args)...); got != (result{}) {
			t.Errorf("encore %s, steered: %+v", args, got)
		}
	}
	w := newWorld(t, "")
	s := w.start("run", "-p", freePort(t))
	s.shows(ready)
	if group, err := syscall.Getpgid(w.daemonPid()); err != nil || group != w.daemonPid() {
		t.Errorf("the daemon is in group %d, %v", group, err)
	}
	w.killDaemon()
	if got := s.wait(); got.code != 0 {
		t.Errorf("killed: %+v", got)
	}
	// What it left does not keep the next from starting.
	s = w.start("run", "-p", freePort(t))
	s.shows(ready)
}

func (w *world) daemonPid() int {
	w.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(w.read(w.state.file("daemon.pid"))))
	if err != nil {
		w.t.Fatal(err)
	}
	return pid
}

func (w *world) killDaemon() {
	w.t.Helper()
	if err := syscall.Kill(w.daemonPid(), syscall.SIGKILL); err != nil {
		w.t.Fatal(err)
	}
}

func TestDaemonShared(t *testing.T) {
	w := newWorld(t, "")
	d := w.start(daemonMode, daemonFlag)
	w.until("it is there", func() bool { return w.state.has("daemon.pid") })
	for range 2 {
		s := w.start("run", "-p", freePort(t))
		s.shows(ready)
		if pid := w.daemonPid(); pid != d.cmd.Process.Pid {
			t.Errorf("daemon %d, want %d", pid, d.cmd.Process.Pid)
		}
	}
	// A second one replaces it.
	second := w.start(daemonMode, daemonFlag)
	if got := d.wait(); got.code != 0 || got.stderr != "" {
		t.Errorf("replaced: %+v", got)
	}
	w.until("the second one is there", func() bool { return w.state.has("daemon.pid") && w.daemonPid() == second.cmd.Process.Pid })
	d = second
	w.write(w.state.file("daemon.stop"), "")
	if got := d.wait(); got.code != 0 || got.stderr != "" || w.state.has("daemon.pid") {
		t.Errorf("told to stop: %+v", got)
	}
	if got := w.run("", "run"); got.code != 1 || !strings.Contains(got.stderr, "dialing daemon") {
		t.Errorf("after daemon.stop: %+v", got)
	}
}
