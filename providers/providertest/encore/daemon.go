//go:build linux || darwin

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// daemonMode and daemonFlag are the real one's words for a daemon in the
	// foreground.
	daemonMode, daemonFlag = "daemon", "-f"
	// portTries is how often the daemon tries to have its port.
	portTries = 10
	// idle is how long the daemon stays without a command.
	idle = time.Minute
	// longest is how long it stays at all.
	longest = 10 * time.Minute
	poll    = 20 * time.Millisecond
)

// greeting is what the daemon says first: whose it is.
type greeting struct {
	State  string `json:"state"`
	Socket string `json:"socket"`
}

// daemon serves the commands that find its socket.
type daemon struct {
	state  state
	socket string
	addr   string
	users  atomic.Int32
	// used is when a command last came or went, in Unix nanoseconds.
	used atomic.Int64
	// ready is closed once the daemon has its port.
	ready chan struct{}
}

var daemonFlags = []flagDef{
	{name: "foreground", short: "f", bare: "true", check: isBool, usage: "Start the daemon in the foreground"},
}

// runDaemon replaces a daemon that runs: it takes over the socket, which the
// other one notices.
func (c *call) runDaemon(given values, _ []string) int {
	if given.isTrue("foreground") {
		d := &daemon{state: c.state, ready: make(chan struct{})}
		if err := d.serve(); err != nil {
			return d.died(err)
		}
		return 0
	}
	if err := spawn(c.state); err != nil {
		return fail("%v", err)
	}
	fmt.Println("encore daemon is now running")
	return 0
}

// died writes to the log why it did.
func (d *daemon) died(err error) int {
	path, perr := daemonLog()
	if perr != nil {
		return misuse(errors.Join(err, perr))
	}
	line := fmt.Appendf(nil, `{"level":"fatal","error":%q,"message":"daemon failed"}`+"\n", err)
	if werr := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), appendFile(path, line)); werr != nil {
		return misuse(errors.Join(err, werr))
	}
	return 1
}

// serve returns nil after an interrupt, or once the file daemon.stop exists. Commands can
// connect to the socket before the daemon has its port, and are answered once it has.
func (d *daemon) serve() error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT)
	defer cancel()
	if d.state.has("daemon.stop") {
		return errors.New("daemon.stop is there")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	d.addr = ln.Addr().String()
	if d.socket, err = d.state.socket(); err != nil {
		return err
	}
	go d.accept(ln)
	if err := d.state.replace(d.socket, []byte(d.addr+"\n")); err != nil {
		return err
	}
	defer d.withdraw()
	unlock, err := d.takePort(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.announce(); err != nil {
		return err
	}
	d.touch()
	close(d.ready)
	d.wait(ctx)
	return nil
}

// announce says that the daemon can be used, and what it has of the
// environment, which is that of the command that started it.
func (d *daemon) announce() error {
	_, names := environment(nil)
	line, err := json.Marshal(map[string]any{"pid": os.Getpid(), "env_names": names})
	if err != nil {
		return err
	}
	if err := appendFile(d.state.file("daemons.jsonl"), append(line, '\n')); err != nil {
		return err
	}
	return d.state.replace("daemon.pid", []byte(strconv.Itoa(os.Getpid())+"\n"))
}

// takePort stands in for listening on port 9400: a lock of the state directory,
// which is the machine. A daemon of another socket keeps it; one whose socket
// was taken over gives it up.
func (d *daemon) takePort(ctx context.Context) (unlock func(), err error) {
	for tries := 0; ; {
		unlock, err := d.state.lock("daemon.lock", syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = os.Remove(d.state.file("daemon.pid")); unlock() }, d.state.replace("daemon.socket", []byte(d.socket))
		}
		if holder, err := os.ReadFile(d.state.file("daemon.socket")); err != nil || string(holder) == d.socket {
			tries = 0
		} else if tries++; tries == portTries {
			return nil, errors.New("listen tcp 127.0.0.1:9400: bind: address already in use")
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(poll):
		}
		if !d.state.exists() || d.state.has("daemon.stop") {
			return nil, errors.New("told to stop")
		}
	}
}

// owns reports whether the socket is still this daemon's.
func (d *daemon) owns() bool {
	text, err := os.ReadFile(d.state.file(d.socket))
	return err == nil && strings.TrimSpace(string(text)) == d.addr
}

func (d *daemon) withdraw() {
	if d.owns() {
		_ = os.Remove(d.state.file(d.socket))
	}
}

func (d *daemon) touch() { d.used.Store(time.Now().UnixNano()) }

func (d *daemon) wait(ctx context.Context) {
	begun := time.Now()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for d.owns() && !d.state.has("daemon.stop") && time.Since(begun) < longest {
		if d.users.Load() == 0 && time.Since(time.Unix(0, d.used.Load())) > idle {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (d *daemon) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		d.users.Add(1)
		go func() {
			defer func() { d.touch(); d.users.Add(-1) }()
			defer conn.Close()
			_ = d.handle(conn)
		}()
	}
}

func (d *daemon) handle(conn net.Conn) error {
	if err := json.NewEncoder(conn).Encode(greeting{State: string(d.state), Socket: d.socket}); err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return err
	}
	<-d.ready
	if err := json.NewEncoder(conn).Encode(message{Served: true}); err != nil {
		return err
	}
	if req.Listen == "" {
		_, err := io.Copy(io.Discard, in)
		return err
	}
	return host(req, in, conn)
}
