//go:build linux || darwin

package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
)

// request is what a command asks the daemon for, in one line. What follows in
// either direction is between the command and the app. The connection lasts as
// long as the command; when it ends, the app is told to end.
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
