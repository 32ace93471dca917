package main

import (
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/duration"
)

// saysReady begins encore run's line for a ready API.
const saysReady = "Your API is running at:"

// daemonLog says where the log of encore's daemon is.
const daemonLog = "if its daemon died, its log says why: daemon.log in ~/.cache/encore, or $XDG_CACHE_HOME/encore (macOS: ~/Library/Caches/encore); encore daemon env prints its path"

// portTimeout is how long the app may need to free its port after encore's end.
const portTimeout = 5 * duration.Second

// Dev syncs the secrets and runs the app until the user ends it.
func (*Provider) Dev(ctx backend.Context, opts backend.DevOptions) error {
	cfg, err := parse(opts.Config, (*config).checkDev)
	if err != nil {
		return err
	}
	r := &run{config: cfg, opts: opts.Env}
	if err := r.locate(ctx, cfg.Dev.Entrypoint, "/dev/entrypoint"); err != nil {
		return err
	}
	if err := r.checkPort(ctx); err != nil {
		return err
	}
	if err := r.startDaemon(ctx, devServerFailed, cfg.Dev.EnvFrom); err != nil {
		return err
	}
	if err := r.sync(ctx); err != nil {
		return err
	}
	id, err := backend.Start(ctx, abi.ProcessStartRequest{
		Argv: r.runCommand(), Dir: r.dir,
		EnvBase: r.base(), EnvFiles: cfg.Dev.EnvFrom, Env: r.variables(), Watch: []string{saysReady}, Terminal: true,
	})
	if err != nil {
		return r.failure(devServerFailed, "encore run", err)
	}
	return r.serve(ctx, id)
}

// checkPort refuses a port that is in use, before anything is done.
func (r *run) checkPort(ctx backend.Context) error {
	probe, err := backend.Probe(ctx, abi.ProbeRequest{Address: r.local(), Gone: true})
	if err != nil || !probe.Answers {
		return err
	}
	e := r.failed(devServerFailed, "something already answers at "+r.local())
	e.Hint = "end it, or give another port in dev.listen"
	return e
}

// serve waits for encore run's end.
func (r *run) serve(ctx backend.Context, id int) error {
	ready, err := r.awaitReady(ctx, id)
	for err == nil {
		var news abi.ProcessWaitResult
		if news, err = backend.Wait(ctx, abi.ProcessWaitRequest{IDs: []int{id}}); err != nil {
			break
		}
		if news.Exited != nil {
			return r.ended(ctx, news.Exited, ready)
		}
	}
	return err
}

// awaitReady waits until the port answers. Encore's own line is not enough: encore prints
// it before the app is ready, and for a crashed app. It returns false if the run was
// asked to end.
func (r *run) awaitReady(ctx backend.Context, id int) (bool, error) {
	timeout, _ := r.readyTimeout()
	line := ""
	for left, next := timeout, timeout; ; next = min(left, afterReady) {
		probe, err := backend.Probe(ctx, abi.ProbeRequest{Address: r.local(), Path: "/", TimeoutMS: next, While: []int{id}})
		if err != nil {
			return false, err
		}
		if probe.Answers || line != "" && ownError(probe.Status) {
			return true, r.tellReady(ctx, line)
		}
		// This only fetches what happened already.
		news, err := backend.Wait(ctx, abi.ProcessWaitRequest{IDs: []int{id}, TimeoutMS: 1})
		switch {
		case err != nil:
			return false, err
		case news.Exited != nil:
			return false, r.ended(ctx, news.Exited, false)
		case news.Interrupted:
			return false, nil
		case news.Seen != nil:
			line = news.Seen.Line
		default:
			if left -= next; left <= 0 {
				return false, r.giveUp(ctx, id, timeout)
			}
		}
	}
}

// afterReady is how long one probe asks after encore's ready line.
const afterReady = duration.Second

// ownError reports whether a status of 500 or more is the app's. Encore itself answers
// with 502 for an app that does not answer.
func ownError(status int) bool {
	// net/http would be a third of the module.
	const internalServerError, badGateway = 500, 502
	return status >= internalServerError && status != badGateway
}

// giveUp ends encore run after the timeout.
func (r *run) giveUp(ctx backend.Context, id int, timeout int64) error {
	exit, err := backend.Stop(ctx, abi.ProcessStopRequest{ID: id, Signal: "SIGINT"})
	if err != nil {
		return err
	}
	e := r.failed(devServerFailed, "encore run was not ready within "+duration.Format(timeout))
	e.Hint, e.Output = "give it more time with dev.ready_timeout", end(exit.Tail)
	return e
}

// tellReady shows the API's address: encore's, or the configured one.
func (r *run) tellReady(ctx backend.Context, line string) error {
	_, url, _ := strings.Cut(line, saysReady)
	if url = strings.TrimSpace(url); !strings.HasPrefix(url, "http") {
		url = "http://" + r.local()
	}
	return backend.Ready(ctx, abi.ReadyProcess{URL: url})
}

// ended distinguishes an interrupt from other ends: encore's exit code is 0 also for a
// crashed app.
func (r *run) ended(ctx backend.Context, exit *abi.ProcessExit, ready bool) error {
	if exit.Interrupted {
		probe, err := backend.Probe(ctx, abi.ProbeRequest{Address: r.local(), Gone: true, TimeoutMS: portTimeout})
		if err == nil && probe.Answers {
			backend.Log(ctx, abi.LevelWarn, "something still answers at "+r.local())
		}
		return interrupted("encore run")
	}
	how := "exit code " + strconv.Itoa(exit.ExitCode)
	if exit.Signal != "" {
		how = exit.Signal
	}
	e := r.failed(devServerFailed, "encore run ended by itself, with "+how)
	e.Output = end(exit.Tail)
	switch {
	case exit.ExitCode == 0 && !ready:
		e.Message += ", which it also has when the app crashed or its daemon died, before it was ready"
		e.Hint = daemonLog
	case exit.ExitCode == 0:
		e.Message += ", which it also has when the app crashed"
	case !ready:
		e.Message += ", before it was ready"
	}
	return e
}
