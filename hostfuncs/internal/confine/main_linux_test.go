package confine

import (
	"encoding/binary"
	"encoding/json"
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

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
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

// The program ends with the thread that starts it.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "guard":
		os.Exit(guardRole())
	case "watch":
		os.Exit(watchRole())
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

// guardRole starts its arguments as a confined program, as a guard does, and reports
// if a signal ended it.
func guardRole() int {
	prepared, err := prepareFromEnv()
	if err != nil {
		fmt.Println("apply:", err)
		return 90
	}
	return startRestricted(&prepared.Restrictions, prepared.Ruleset, func(listener *os.File) { prepared.Broker(listener).Serve() })
}

// messagesFD is our end of the connection of which [guard.Line] is the other.
const messagesFD = guard.Line + 1

// startRestricted starts the arguments in a process that applies restrictions, and waits
// for its end.
func startRestricted(r *guard.Restrictions, ruleset *os.File, serve func(*os.File)) int {
	unix.CloseOnExec(guard.Line)
	unix.CloseOnExec(messagesFD)
	failed := make(chan string, 1)
	go func() { failed <- readMessages(serve) }()
	var descriptors []int
	if r.Ruleset {
		descriptors = append(descriptors, int(ruleset.Fd()))
	}
	for fd := range guard.Line {
		high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10)
		if err != nil {
			panic(err)
		}
		descriptors = append(descriptors, high)
	}
	dir, _ := os.Getwd()
	plan := guard.Plan{Program: os.Args[1], Argv: os.Args[1:], Dir: dir, Env: os.Environ(), Restrict: r, Group: uint64(unix.Getpgrp())}
	pid, letter, errno := guard.Start(&plan, descriptors, [65]bool{})
	if errno != 0 {
		fmt.Printf("%c: %v\n", letter, errno)
		return 91
	}
	var status unix.WaitStatus
	for {
		if _, err := unix.Wait4(pid, &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	_ = unix.Shutdown(guard.Line, unix.SHUT_RDWR) // the test has it open too
	if message := <-failed; message != "" {
		fmt.Println(message)
		return 92
	}
	if status.Signaled() {
		fmt.Println("killed", unix.SignalName(status.Signal()))
	}
	return status.ExitStatus()
}

// readMessages has a listener served, and returns what failed.
func readMessages(serve func(*os.File)) (failed string) {
	message, control := make([]byte, 16), make([]byte, unix.CmsgSpace(4))
	for {
		n, size, _, _, err := unix.Recvmsg(messagesFD, message, control, unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
		case err != nil || n == 0:
			return failed
		case message[0] == guard.Listens:
			messages, err := unix.ParseSocketControlMessage(control[:size])
			if err != nil {
				panic(err)
			}
			fds, err := unix.ParseUnixRights(&messages[0])
			if err != nil {
				panic(err)
			}
			_ = unix.SetNonblock(fds[0], true)
			go serve(os.NewFile(uintptr(fds[0]), "listener"))
		default:
			failed = map[byte]string{guard.Failed: "start: ", guard.NotConfined: "apply: "}[message[0]] +
				unix.ErrnoName(unix.Errno(binary.LittleEndian.Uint32(message[1:])))
		}
	}
}

// prepareFromEnv leaves parts away, by which a test sees that these are what refuses.
func prepareFromEnv() (*Prepared, error) {
	var r Rules
	if err := json.Unmarshal([]byte(os.Getenv(rulesVar)), &r); err != nil {
		return nil, err
	}
	s := Probe()
	if level := os.Getenv(levelVar); level != "" {
		var err error
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
	p, err := r.Prepare(s, []int{os.Getpid()})
	if err != nil {
		return nil, err
	}
	for _, part := range skip {
		switch part {
		case "undumpable":
			p.Restrictions.Hide = false
		case "capabilities":
			p.Restrictions.Capabilities = false
		case "new":
			p.Restrictions.NoNewPrivs = false
		case "landlock":
			p.Restrictions.Ruleset = false
		case "seccomp":
			p.Restrictions.Filter = ""
		default:
			return nil, fmt.Errorf("no part %q", part)
		}
	}
	return p, nil
}
