package clitest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// EncoreStandIn replaces the encore command. Its daemon runs outside stagecraft, as a
// user's would.
type EncoreStandIn struct {
	state  string // its directory
	Tools  string // the directory of the command, for PATH
	engine string
	places []string // variables that locate its daemon and its login
	daemon *exec.Cmd
}

// NewEncore returns a stand-in whose images go to an engine; dir is its own directory.
// The command finds its daemon and its login in any environment.
func NewEncore(dir, dockerHost string) (*EncoreStandIn, error) {
	places := []string{"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"), "XDG_CONFIG_HOME=" + filepath.Join(dir, "config")}
	e, err := newEncore(dir, dockerHost, places)
	if err != nil {
		return nil, err
	}
	return e, e.wrap(places)
}

// NewStrictEncore is like NewEncore, but the command finds its daemon and its login as
// the real one does: by the user's variables, NAME=value, that it gets. Without them it
// starts a second daemon, which exits.
func NewStrictEncore(dir, dockerHost string, user []string) (*EncoreStandIn, error) {
	e, err := newEncore(dir, dockerHost, user)
	if err != nil {
		return nil, err
	}
	return e, e.wrap(nil)
}

func newEncore(dir, dockerHost string, places []string) (*EncoreStandIn, error) {
	program, err := built.builder.Program("providers/providertest/encore")
	if err != nil {
		return nil, err
	}
	e := &EncoreStandIn{state: filepath.Join(dir, "state"), Tools: filepath.Join(dir, "tools"), engine: dockerHost, places: places}
	for _, made := range []string{e.state, e.Tools} {
		if err := os.MkdirAll(made, 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.Symlink(program, e.program()); err != nil {
		return nil, err
	}
	return e, e.login()
}

// program is the command without its wrapper.
func (e *EncoreStandIn) program() string { return filepath.Join(e.state, "encore") }

// wrap writes a wrapper that sets the location of the state, because under a policy the
// command gets few variables.
func (e *EncoreStandIn) wrap(more []string) error {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, pair := range slices.Concat([]string{"ENCORE_STANDIN_STATE=" + e.state, "DOCKER_HOST=" + e.engine}, more) {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(&b, "export %s='%s'\n", name, value)
	}
	fmt.Fprintf(&b, "exec '%s' \"$@\"\n", e.program())
	return os.WriteFile(filepath.Join(e.Tools, "encore"), []byte(b.String()), 0o700)
}

// login logs the user in.
func (e *EncoreStandIn) login() error {
	cmd := exec.Command(e.program(), "auth", "login", "--auth-key", "k")
	cmd.Env = append([]string{"ENCORE_STANDIN_STATE=" + e.state}, e.places...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the stand-in's login: %w\n%s", err, out)
	}
	return os.Remove(filepath.Join(e.state, "calls.jsonl"))
}

// Start starts the daemon.
func (e *EncoreStandIn) Start() error {
	e.daemon = exec.Command(e.program(), "daemon", "-f")
	e.daemon.Env = slices.Concat(os.Environ(), []string{"ENCORE_STANDIN_STATE=" + e.state, "DOCKER_HOST=" + e.engine}, e.places)
	if err := e.daemon.Start(); err != nil {
		return err
	}
	if !e.waitDaemon(true) {
		return fmt.Errorf("the stand-in's daemon did not start: %w", e.Stop())
	}
	return nil
}

// waitDaemon waits until the daemon runs, or has ended.
func (e *EncoreStandIn) waitDaemon(running bool) bool {
	for end := time.Now().Add(Hang); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(e.state, "daemon.pid")); (err == nil) == running {
			return true
		}
	}
	return false
}

// Stop ends the daemon, which must still run if Start started it.
func (e *EncoreStandIn) Stop() error {
	if err := os.WriteFile(filepath.Join(e.state, "daemon.stop"), nil, 0o600); err != nil {
		return err
	}
	if !e.waitDaemon(false) {
		return errors.New("the stand-in's daemon did not end")
	}
	if e.daemon == nil {
		return nil
	}
	return e.daemon.Wait()
}

// userVariables locate encore's daemon and login.
var userVariables = []string{"HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "ENCORE_CONFIG_DIR"}

// cmdEncore puts the stand-in for encore into PATH, with its state in
// $ENCORE_STANDIN_STATE. STEERING is its standin.json; a later call changes only that.
// $XDG_STATE_HOME becomes the script's own. With -strict the command finds its daemon
// and its login only by the user's variables that it gets. With -alone no daemon runs,
// and the command has no wrapper.
func cmdEncore(ts *testscript.TestScript, args []string) {
	how := ""
	if len(args) > 0 && (args[0] == "-alone" || args[0] == "-strict") {
		how, args = args[0], args[1:]
	}
	if len(args) > 1 {
		ts.Fatalf("usage: encore [-strict|-alone] [STEERING]")
	}
	state := ts.Getenv("ENCORE_STANDIN_STATE")
	if state == "" {
		state = startEncore(ts, how)
	}
	if len(args) == 1 {
		ts.Check(os.WriteFile(filepath.Join(state, "standin.json"), []byte(args[0]), 0o600))
	}
}

func startEncore(ts *testscript.TestScript, how string) (state string) {
	dir, engine := filepath.Join(ts.Getenv("WORK"), ".encore"), ts.Getenv("DOCKER_HOST")
	var e *EncoreStandIn
	var err error
	if how == "" {
		e, err = NewEncore(dir, engine)
	} else {
		var user []string
		for _, name := range userVariables {
			if value := ts.Getenv(name); value != "" {
				user = append(user, name+"="+value)
			}
		}
		e, err = NewStrictEncore(dir, engine, user)
	}
	ts.Check(err)
	tools := e.Tools
	if how == "-alone" {
		tools = e.state
	} else {
		ts.Check(e.Start())
	}
	ts.Defer(func() { ts.Check(e.Stop()) })
	ts.Setenv("ENCORE_STANDIN_STATE", e.state)
	// Remembered inputs with secrets must not be shared between scripts.
	ts.Setenv("XDG_STATE_HOME", filepath.Join(dir, "user-state"))
	ts.Setenv("PATH", tools+string(os.PathListSeparator)+ts.Getenv("PATH"))
	return e.state
}
