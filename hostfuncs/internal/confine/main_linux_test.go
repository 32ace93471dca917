package confine

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The test's own program is the one that confines, the confined one, and one
// outside, by this variable.
const (
	roleVar  = "STAGECRAFT_CONFINE_ROLE"
	rulesVar = "STAGECRAFT_CONFINE_RULES"
	levelVar = "STAGECRAFT_CONFINE_LANDLOCK"
	skipVar  = "STAGECRAFT_CONFINE_SKIP"
	// notifyVar is set for a system without notifications.
	notifyVar = "STAGECRAFT_CONFINE_MUTE"
)

// The first thread is kept for the main goroutine: Apply must not be there.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "guard":
		os.Exit(guardRole())
	case "watch":
		os.Exit(watchRole())
	case "first":
		_, err := Rules{BestEffort: true}.Apply(Support{})
		fmt.Println(err)
		os.Exit(0)
	case "confined":
		fmt.Println(outcome(attempts()[os.Args[1]](os.Args[2:])))
		os.Exit(0)
	case "outside":
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

// guardRole starts its arguments as a confined program, as a guard would, and reports the
// signal that ended it.
func guardRole() int {
	code := make(chan int)
	go func() {
		runtime.LockOSThread()
		broker, err := applyFromEnv()
		if err != nil {
			fmt.Println("apply:", err)
			code <- 90
			return
		}
		if broker != nil {
			go broker.Serve()
		}
		process, err := os.StartProcess(os.Args[1], os.Args[1:], &os.ProcAttr{
			Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		})
		if err != nil {
			fmt.Println("start:", outcome(err))
			code <- 91
			return
		}
		state, err := process.Wait()
		if err != nil {
			fmt.Println("wait:", err)
		}
		if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			fmt.Println("killed", unix.SignalName(status.Signal()))
		}
		code <- state.ExitCode()
	}()
	return <-code
}

func applyFromEnv() (*Broker, error) {
	data, err := hex.DecodeString(os.Getenv(rulesVar))
	if err != nil {
		return nil, err
	}
	r, err := Decode(data)
	if err != nil {
		return nil, err
	}
	s := Probe()
	if level := os.Getenv(levelVar); level != "" {
		if s.Landlock, err = strconv.Atoi(level); err != nil {
			return nil, err
		}
	}
	if os.Getenv(notifyVar) != "" {
		s.Notify = false
	}
	skip := strings.Fields(os.Getenv(skipVar))
	for _, v := range []string{rulesVar, levelVar, skipVar} {
		_ = os.Unsetenv(v)
	}
	_ = os.Setenv(roleVar, "confined")
	if len(skip) == 0 {
		return r.Apply(s)
	}
	return applyWithout(r, s, skip)
}

// applyWithout is Apply with a part taken away, by which a test sees that this
// part is what refused.
func applyWithout(r Rules, s Support, skip []string) (broker *Broker, err error) {
	ruleset, err := newRuleset(r, s.Landlock)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name string
		do   func() error
	}{
		{"undumpable", func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }},
		{"capabilities", dropCapabilities},
		{"new", func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }},
		{"landlock", ruleset.restrictThread},
		{"seccomp", func() error {
			broker, err = installFilter(r, s, self{pid: os.Getpid(), thread: unix.Gettid()})
			return err
		}},
	} {
		if !strings.Contains(strings.Join(skip, " "), part.name) {
			if err := part.do(); err != nil {
				return nil, err
			}
		}
	}
	return broker, nil
}
