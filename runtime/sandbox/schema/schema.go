// Package schema checks a value by a JSON Schema for the package sandbox, in a process of
// its own. It is the only importer of the library for that, which takes milliseconds to
// start.
//
// The process first bounds itself, then evaluates the one schema that it receives. It
// trusts the host, and the host does not trust it.
package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/bounds"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// Main runs the helper, and does not return, if this process was started as one.
func Main() {
	if len(os.Args) > 0 && os.Args[0] == frame.SchemaName {
		os.Exit(run(os.Args[1:]))
	}
}

// run runs the helper with the arguments of [bounds.EnterArgs]. It opens no files.
func run(args []string) int {
	conn := frame.NewConn(os.Stdin, os.Stdout)
	os.Stdout = os.Stderr
	b, enforced, err := bounds.EnterArgs(args)
	debug.SetMemoryLimit(int64(b.Space / 4))
	if err == nil {
		err = bounds.Narrow(enforced)
	}
	if err == nil {
		err = serve(conn)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return 0
	}
	_ = conn.Send(frame.Exit, frame.ExitBody{Why: frame.Failed, Reason: err.Error()}.Parts()...)
	return 1
}

func serve(conn *frame.Conn) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	_, body, err := conn.Receive(frame.Check)
	if err != nil {
		return err
	}
	var request frame.CheckBody
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	reply := abi.Reply{OK: abi.JSON("{}")}
	if wrong := Check(request); wrong != nil {
		reply = abi.Reply{Error: wrong}
	}
	data, err := json.Marshal(reply)
	if err != nil {
		return err
	}
	return conn.Send(frame.Reply, data)
}
