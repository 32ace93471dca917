package clitest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// EncoreStandIn is the stand-in for the encore command, with its daemon running
// as a user's would, outside of what stagecraft starts.
type EncoreStandIn struct {
	state  string // its folder
	Tools  string // the folder of the command, for PATH
	engine string
	daemon *exec.Cmd
}

// NewEncore makes one whose images go to that engine. The folder is its own.
func NewEncore(dir, dockerHost string) (*EncoreStandIn, error) {
	program, err := built.builder.Program("providers/providertest/encore")
	if err != nil {
		return nil, err
	}
	e := &EncoreStandIn{state: filepath.Join(dir, "state"), Tools: filepath.Join(dir, "tools"), engine: dockerHost}
	for _, folder := range []string{e.state, e.Tools} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	real := filepath.Join(e.state, "encore")
	if err := os.Symlink(program, real); err != nil {
		return nil, err
	}
	// Under a policy the command gets next to nothing of the environment.
	wrapper := fmt.Sprintf("#!/bin/sh\nENCORE_STANDIN_STATE='%s' DOCKER_HOST='%s' exec '%s' \"$@\"\n", e.state, dockerHost, real)
	return e, os.WriteFile(filepath.Join(e.Tools, "encore"), []byte(wrapper), 0o700)
}

// Start starts the daemon.
func (e *EncoreStandIn) Start() error {
	e.daemon = exec.Command(filepath.Join(e.state, "encore"), "daemon", "-f")
	e.daemon.Env = append(os.Environ(), "ENCORE_STANDIN_STATE="+e.state, "DOCKER_HOST="+e.engine)
	if err := e.daemon.Start(); err != nil {
		return err
	}
	if !e.comesTo(true) {
		return fmt.Errorf("the stand-in's daemon did not start: %w", e.Stop())
	}
	return nil
}

// comesTo waits until the daemon is there, or gone.
func (e *EncoreStandIn) comesTo(there bool) bool {
	for end := time.Now().Add(Hang); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(e.state, "daemon.pid")); (err == nil) == there {
			return true
		}
	}
	return false
}

// Stop ends the daemon, which must be there still if it was started here.
func (e *EncoreStandIn) Stop() error {
	if err := os.WriteFile(filepath.Join(e.state, "daemon.stop"), nil, 0o600); err != nil {
		return err
	}
	if !e.comesTo(false) {
		return errors.New("the stand-in's daemon did not end")
	}
	if e.daemon == nil {
		return nil
	}
	return e.daemon.Wait()
}

// cmdEncore has the stand-in for encore in PATH: encore [-alone] [STEERING]
//
// Its state is in $ENCORE_STANDIN_STATE. STEERING is its standin.json; called
// again, that alone changes. With -alone no daemon runs, and the command is no
// script that gives it its variables, but the program itself.
func cmdEncore(ts *testscript.TestScript, neg bool, args []string) {
	alone := len(args) > 0 && args[0] == "-alone"
	if alone {
		args = args[1:]
	}
	if neg || len(args) > 1 {
		ts.Fatalf("usage: encore [-alone] [STEERING]")
	}
	state := ts.Getenv("ENCORE_STANDIN_STATE")
	if state == "" {
		e, err := NewEncore(filepath.Join(ts.Getenv("WORK"), ".encore"), ts.Getenv("DOCKER_HOST"))
		ts.Check(err)
		folder := e.Tools
		if alone {
			folder = e.state
		} else {
			ts.Check(e.Start())
		}
		ts.Defer(func() { ts.Check(e.Stop()) })
		state = e.state
		ts.Setenv("ENCORE_STANDIN_STATE", state)
		ts.Setenv("PATH", folder+string(os.PathListSeparator)+ts.Getenv("PATH"))
	}
	if len(args) == 1 {
		ts.Check(os.WriteFile(filepath.Join(state, "standin.json"), []byte(args[0]), 0o600))
	}
}
