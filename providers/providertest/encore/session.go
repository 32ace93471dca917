//go:build linux || darwin

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTime is how long a daemon may take to start.
const startTime = 20 * time.Second

// session is a command's connection to the daemon.
type session struct {
	conn net.Conn
	// messages are the app's. The channel is closed when the app or the
	// daemon has ended.
	messages chan message
}

// connect reaches the daemon, which it starts where there is none.
func connect(s state, req request) (*session, error) {
	conn, in, err := dial(s)
	if err != nil {
		if err := spawn(); err != nil {
			return nil, fmt.Errorf("starting daemon: %w", err)
		}
		if conn, in, err = dialUntil(s, time.Now().Add(startTime)); err != nil {
			return nil, fmt.Errorf("dialing daemon: %w", err)
		}
	}
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	ses := &session{conn: conn, messages: make(chan message)}
	go ses.receive(in)
	return ses, nil
}

func (ses *session) receive(in *bufio.Reader) {
	defer close(ses.messages)
	for d := json.NewDecoder(in); ; {
		var m message
		if d.Decode(&m) != nil {
			return
		}
		ses.messages <- m
	}
}

// serve has the app answer from now on.
func (ses *session) serve() error {
	_, err := ses.conn.Write([]byte("serve\n"))
	return err
}

// finish ends the app and waits until it has ended.
func (ses *session) finish() {
	if tcp, ok := ses.conn.(*net.TCPConn); !ok || tcp.CloseWrite() != nil {
		return
	}
	for range ses.messages {
	}
}

func (ses *session) close() { _ = ses.conn.Close() }

// spawn starts a daemon in a process group of its own, as the real one does. Of several that start at once
// all but one give up.
func spawn() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, daemonMode, daemonFlag)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

func dialUntil(s state, end time.Time) (net.Conn, *bufio.Reader, error) {
	for {
		conn, in, err := dial(s)
		if err == nil || time.Now().After(end) || s.has("daemon.stop") {
			return conn, in, err
		}
		<-time.After(poll)
	}
}

// dial finds the daemon by its files, which may be those of one that was
// killed, so that the port is another's by now.
func dial(s state) (net.Conn, *bufio.Reader, error) {
	text, err := os.ReadFile(s.file("daemon.pid"))
	if err != nil {
		return nil, nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, nil, fmt.Errorf("daemon.pid: %w", err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		return nil, nil, fmt.Errorf("daemon %d: %w", pid, err)
	}
	addr, err := os.ReadFile(s.file("daemon.addr"))
	if err != nil {
		return nil, nil, err
	}
	conn, err := net.Dial("tcp", strings.TrimSpace(string(addr)))
	if err != nil {
		return nil, nil, err
	}
	in := bufio.NewReader(conn)
	if err := greeted(s, conn, in); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, in, nil
}

func greeted(s state, conn net.Conn, in *bufio.Reader) error {
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var hello greeting
	if err := json.Unmarshal(line, &hello); err != nil {
		return err
	}
	if hello.State != string(s) {
		return errors.New("the daemon is another's")
	}
	return conn.SetReadDeadline(time.Time{})
}
