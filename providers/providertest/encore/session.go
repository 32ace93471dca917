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

// connect connects to the daemon, and starts it if there is none.
func connect(s state, req request) (*session, error) {
	conn, in, err := dial(s)
	if err != nil {
		if err := spawn(s); err != nil {
			return nil, fmt.Errorf("starting daemon: %w", err)
		}
		if conn, in, err = dial(s); err != nil && s.has("daemon.stop") {
			return nil, fmt.Errorf("dialing daemon: %w", err)
		} else if err != nil {
			return lost(), nil // it died as soon as it was started
		}
	}
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	ses := &session{conn: conn, messages: make(chan message)}
	go ses.receive(in)
	return ses, nil
}

// lost is a session with a daemon that is gone.
func lost() *session {
	ses := &session{messages: make(chan message)}
	close(ses.messages)
	return ses
}

// served waits until the daemon can be used; false if it died instead.
func (ses *session) served() bool { return (<-ses.messages).Served }

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

// serve lets the app answer from now on.
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

func (ses *session) close() {
	if ses.conn != nil {
		_ = ses.conn.Close()
	}
}

// spawn starts a daemon, which keeps this command's environment, in a process
// group of its own, and waits until its socket is there.
func spawn(s state) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	socket, err := s.socket()
	if err != nil {
		return err
	}
	before, _ := os.ReadFile(s.file(socket))
	cmd := exec.Command(self, daemonMode, daemonFlag)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	for limit := time.After(startTime); ; {
		if now, err := os.ReadFile(s.file(socket)); err == nil && string(now) != string(before) {
			return nil
		}
		select {
		case <-ended:
			return nil // the dial reports what became of it
		case <-limit:
			return errors.New("timed out waiting for daemon to start")
		case <-time.After(poll):
		}
	}
}

// dial finds the daemon by its socket, which may be that of one that was
// killed, so that the port is another's by now.
func dial(s state) (net.Conn, *bufio.Reader, error) {
	socket, err := s.socket()
	if err != nil {
		return nil, nil, err
	}
	addr, err := os.ReadFile(s.file(socket))
	if err != nil {
		return nil, nil, err
	}
	conn, err := net.Dial("tcp", strings.TrimSpace(string(addr)))
	if err != nil {
		return nil, nil, err
	}
	in := bufio.NewReader(conn)
	if err := greeted(greeting{State: string(s), Socket: socket}, conn, in); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, in, nil
}

func greeted(want greeting, conn net.Conn, in *bufio.Reader) error {
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
	if hello != want {
		return errors.New("the daemon is another's")
	}
	return conn.SetReadDeadline(time.Time{})
}
