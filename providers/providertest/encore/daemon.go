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
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// daemonMode and daemonFlag are the real one's words for a daemon in the
	// foreground.
	daemonMode, daemonFlag = "daemon", "-f"
	// idle is how long the daemon stays without a command.
	idle = time.Minute
	// longest is how long it stays at all.
	longest = 10 * time.Minute
	poll    = 20 * time.Millisecond
)

// greeting is what the daemon says first: whose it is.
type greeting struct {
	State string `json:"state"`
}

// request is what a command asks for, in one line. What follows in either
// direction is between the command and the app. The connection lasts as long as
// the command; when it ends, the app is told to end.
type request struct {
	// Listen has an app listen there; without it nothing is started.
	Listen string `json:"listen,omitempty"`
	// CrashAfterMS is when it crashes, unless it is 0.
	CrashAfterMS int `json:"crash_after_ms,omitempty"`
	// LingerMS is how long it outlives the command.
	LingerMS int `json:"linger_ms,omitempty"`
}

// daemon serves the commands of one state folder.
type daemon struct {
	state state
	users atomic.Int32
	// used is when a command last came or went, in Unix nanoseconds.
	used atomic.Int64
}

func daemonMain(s state, args []string) int {
	if !slices.Equal(args, []string{daemonFlag}) {
		return misuse(errors.New("of " + daemonMode + " there is but " + daemonFlag))
	}
	if err := (&daemon{state: s}).serve(); err != nil {
		return misuse(err)
	}
	return 0
}

// serve ends without an error when it is told to.
func (d *daemon) serve() error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT)
	defer cancel()
	unlock, err := d.state.lock("daemon.lock", syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return fmt.Errorf("another daemon is there: %w", err)
	}
	defer unlock()
	if d.state.has("daemon.stop") {
		return errors.New("daemon.stop is there")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	d.touch()
	go d.accept(ln)
	if err := d.announce(ln.Addr().String()); err != nil {
		return err
	}
	defer d.withdraw()
	d.wait(ctx)
	return nil
}

func (d *daemon) announce(addr string) error {
	err := d.state.replace("daemon.addr", []byte(addr+"\n"))
	if err != nil {
		return err
	}
	return d.state.replace("daemon.pid", []byte(strconv.Itoa(os.Getpid())+"\n"))
}

func (d *daemon) withdraw() {
	_ = os.Remove(d.state.file("daemon.pid"))
	_ = os.Remove(d.state.file("daemon.addr"))
}

func (d *daemon) touch() { d.used.Store(time.Now().UnixNano()) }

func (d *daemon) wait(ctx context.Context) {
	begun := time.Now()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for d.state.exists() && !d.state.has("daemon.stop") && time.Since(begun) < longest {
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
	if err := json.NewEncoder(conn).Encode(greeting{State: string(d.state)}); err != nil {
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
	if req.Listen == "" {
		_, err := io.Copy(io.Discard, in)
		return err
	}
	return host(req, in, conn)
}

// host runs an app and returns when it has ended. The command's end closes the
// app's standard input, and so does the daemon's own.
func host(req request, in io.Reader, out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, appMode, req.Listen, strconv.Itoa(req.CrashAfterMS), strconv.Itoa(req.LingerMS))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(stdin, in)
		_ = stdin.Close()
	}()
	return cmd.Wait()
}
