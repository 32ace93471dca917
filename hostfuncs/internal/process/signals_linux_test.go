package process

import (
	"context"
	"strings"
	"syscall"
	"testing"
)

const ctrlBackslash = "\x1c"

// TestPassOnTerminal has signals come from the terminal, to us alone, and to our whole
// group: the program gets each of them once.
func TestPassOnTerminal(t *testing.T) {
	kill := func(s *session, who int, sig syscall.Signal) error {
		return syscall.Kill(who*s.cmd.Process.Pid, sig)
	}
	for name, tt := range map[string]struct {
		send func(*session) error
		want string
	}{
		"from the terminal":         {func(s *session) error { _, err := s.keys.WriteString(ctrlBackslash); return err }, "got SIGQUIT"},
		"SIGQUIT to us":             {func(s *session) error { return kill(s, 1, syscall.SIGQUIT) }, "got SIGQUIT"},
		"SIGQUIT to the group":      {func(s *session) error { return kill(s, -1, syscall.SIGQUIT) }, "got SIGQUIT"},
		"SIGUSR1 to us":             {func(s *session) error { return kill(s, 1, syscall.SIGUSR1) }, "got SIGUSR1"},
		"SIGUSR1 to the group":      {func(s *session) error { return kill(s, -1, syscall.SIGUSR1) }, "got SIGUSR1"},
		"the window's size, by us":  {func(s *session) error { return kill(s, 1, syscall.SIGWINCH) }, "got SIGWINCH"},
		"the window's size, by all": {func(s *session) error { return kill(s, -1, syscall.SIGWINCH) }, "got SIGWINCH"},
	} {
		t.Run(name, func(t *testing.T) {
			ready, got, last := expect("ready"), expect(tt.want), expect("got SIGUSR2")
			s := drive(t, "1h", []string{"helper:signals"}, ready, got, last)
			ready.until(t)
			if err := tt.send(s); err != nil {
				t.Fatal(err)
			}
			got.until(t)
			// The driver passes this on after all that came before, but for SIGWINCH.
			if err := kill(s, 1, syscall.SIGUSR2); err != nil {
				t.Fatal(err)
			}
			last.until(t)
			if err := kill(s, 1, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if res := s.end(t); res.ExitCode != 7 {
				t.Errorf("got %+v", res)
			}
			if n := strings.Count(last.String(), tt.want); n != 1 {
				t.Errorf("it came %d times: %q", n, last)
			}
		})
	}
}

// TestPassWithoutTerminal: a program in its own group gets only passed signals, and its
// children do not.
func TestPassWithoutTerminal(t *testing.T) {
	c := helper(t, "signals")
	ready, got := expect("ready"), expect("got SIGUSR1")
	c.Stdout = writerFunc(func(p []byte) (int, error) {
		_, _ = ready.Write(p)
		return got.Write(p)
	})
	ctx, cancel := context.WithCancel(testContext(t))
	done := launch(ctx, c)
	ready.until(t)
	if !Pass(syscall.SIGUSR1) {
		t.Error("no program got the signal")
	}
	got.until(t)
	cancel()
	if res := (<-done).must(t); res.ExitCode != 7 {
		t.Errorf("got %+v", res)
	}
	if Pass(syscall.SIGUSR1) {
		t.Error("a signal was passed to a program that has ended")
	}
	wantNoneLeft(t, c)
}

// TestSignalProbe: a signal probe reports each signal once.
func TestSignalProbe(t *testing.T) {
	p := orphans.startSignalProbe()
	if p == nil {
		t.Fatal("cannot start a signal probe")
	}
	defer p.close()
	reports := func(sig syscall.Signal, want bool) {
		t.Helper()
		if got, ok := p.got(sig); got != want || !ok {
			t.Errorf("of signal %d it says %v, %v, want %v", sig, got, ok, want)
		}
	}
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if sig == syscall.SIGKILL || sig == syscall.SIGSTOP {
			continue
		}
		other := sig%31 + 1
		if other == syscall.SIGKILL || other == syscall.SIGSTOP || other == syscall.SIGCONT || other == syscall.SIGTSTP {
			other = syscall.SIGHUP
		}
		reports(sig, false)
		for _, s := range []syscall.Signal{sig, other} {
			if err := p.process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
		reports(sig, true)
		reports(sig, false)
		reports(other, sig != other)
	}
	if err := p.process.Kill(); err != nil {
		t.Fatal(err)
	}
}
