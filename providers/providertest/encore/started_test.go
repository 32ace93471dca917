//go:build linux || darwin

package main

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"syscall"
)

// started is a program that runs.
type started struct {
	*world
	cmd    *exec.Cmd
	stderr *bufio.Reader
	seen   strings.Builder
}

func (w *world) start(args ...string) *started {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	cmd := w.command(ctx, args...)
	pipe, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	return &started{world: w, cmd: cmd, stderr: bufio.NewReader(pipe)}
}

// shows waits for a line that has a text.
func (s *started) shows(text string) {
	s.t.Helper()
	for {
		line, err := s.stderr.ReadString('\n')
		s.seen.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			s.t.Fatalf("ended without %q:\n%s", text, s.seen.String())
		}
	}
}

func (s *started) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *started) wait() result {
	s.t.Helper()
	rest, err := io.ReadAll(s.stderr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.seen.Write(rest)
	return result{code: s.code(s.cmd.Wait()), stderr: s.seen.String()}
}
