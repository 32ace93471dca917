//go:build linux || darwin

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

const appMode = "standin-app"

// message is what an app tells its command.
type message struct {
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
	if len(args) != 3 {
		return misuse(errors.New(appMode + " is started by the daemon"))
	}
	crash, err := strconv.Atoi(args[1])
	linger, lerr := strconv.Atoi(args[2])
	if err := errors.Join(err, lerr); err != nil {
		return misuse(err)
	}
	ln, err := net.Listen("tcp", args[0])
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
	go func() { _ = http.Serve(ln, http.HandlerFunc(answer)) }()
	if crash > 0 {
		go crashAfter(time.Duration(crash) * time.Millisecond)
	}
	_, _ = in.ReadString('\n')
	<-time.After(time.Duration(linger) * time.Millisecond)
	return 0
}

func answer(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "encore stand-in: %s %s\n", r.Method, r.URL.Path)
}

func crashAfter(d time.Duration) {
	<-time.After(d)
	tell(message{Stderr: "panic: app crashed\n"})
	os.Exit(2)
}
