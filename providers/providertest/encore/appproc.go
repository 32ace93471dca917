//go:build linux || darwin

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const appMode = "standin-app"

// message is what an app or the daemon tells a command.
type message struct {
	// Served says that the daemon can be used; it alone sends this, first.
	Served bool `json:"served,omitempty"`
	// Listening says that it has its port.
	Listening bool `json:"listening,omitempty"`
	// InUse and Failed say why it has not.
	InUse  bool   `json:"in_use,omitempty"`
	Failed string `json:"failed,omitempty"`
	// Stderr is output.
	Stderr string `json:"stderr,omitempty"`
}

func tell(m message) { _ = json.NewEncoder(os.Stdout).Encode(m) }

// appMain listens at once, as the real one does before it compiles, and answers
// when its standard input has a line. When that ends, so does the app: at once
// if it did not answer yet, otherwise a moment later.
func appMain(args []string) int {
	if len(args) != 2 {
		return misuse(errors.New(appMode + " is started by the daemon"))
	}
	var plan appPlan
	if err := json.Unmarshal([]byte(args[1]), &plan); err != nil {
		return misuse(err)
	}
	ln, err := listenOn(args[0])
	if err != nil {
		tell(message{InUse: errors.Is(err, syscall.EADDRINUSE), Failed: err.Error()})
		return 1
	}
	defer ln.Close()
	tell(message{Listening: true})
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return 0
	}
	plan.printEnv()
	if !plan.Mute {
		go func() { _ = http.Serve(ln, http.HandlerFunc(plan.answer)) }()
	}
	if plan.CrashAfterMS > 0 {
		go crashAfter(time.Duration(plan.CrashAfterMS) * time.Millisecond)
	}
	_, _ = in.ReadString('\n')
	<-time.After(time.Duration(plan.LingerMS) * time.Millisecond)
	return 0
}

// listenOn takes what the real one takes: an IP address, localhost or no host.
func listenOn(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err == nil && host != "" && host != "localhost" && net.ParseIP(host) == nil {
		// A machine's own name would be looked up.
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: host}}
	}
	return net.Listen("tcp", addr)
}

// printEnv prints what the app has of some variables.
func (p appPlan) printEnv() {
	for _, name := range p.PrintEnv {
		value, ok := os.LookupEnv(name)
		if !ok {
			value = "(not set)"
		}
		tell(message{Stderr: fmt.Sprintf("%s=%s\n", name, value)})
	}
}

// answer says what was asked for. /crash ends the app after its answer, and
// the steering may have a status for all.
func (p appPlan) answer(w http.ResponseWriter, r *http.Request) {
	text := fmt.Sprintf("encore stand-in: %s %s\n", r.Method, r.URL.Path)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	_, _ = io.WriteString(w, text)
	if r.URL.Path == "/crash" {
		_ = http.NewResponseController(w).Flush()
		crashAfter(0)
	}
}

func crashAfter(d time.Duration) {
	<-time.After(d)
	tell(message{Stderr: "panic: app crashed\n"})
	os.Exit(2)
}

// request is what a command asks the daemon for, in one line. What follows in
// either direction is between the command and the app. The connection lasts as
// long as the command; when it ends, the app ends.
type request struct {
	// Listen has an app listen there; without it nothing is started.
	Listen string `json:"listen,omitempty"`
	// Environ is the command's environment. The app has it over the daemon's.
	Environ []string `json:"environ,omitempty"`
	appPlan
}

// appPlan is what the app is to do.
type appPlan struct {
	// CrashAfterMS is when it crashes, unless it is 0.
	CrashAfterMS int `json:"crash_after_ms,omitempty"`
	// Mute has it never answer.
	Mute bool `json:"mute,omitempty"`
	// Status is what it answers with, unless it is 0.
	Status int `json:"status,omitempty"`
	// LingerMS is how long it outlives the command.
	LingerMS int `json:"linger_ms,omitempty"`
	// PrintEnv are the variables that it prints.
	PrintEnv []string `json:"print_env,omitempty"`
}

// host runs an app and returns when it has ended. The command's end closes the
// app's standard input, and so does the daemon's own.
func host(req request, in io.Reader, out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	plan, err := json.Marshal(req.appPlan)
	if err != nil {
		return err
	}
	cmd := exec.Command(self, appMode, req.Listen, string(plan))
	cmd.Env = append(os.Environ(), req.Environ...)
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
