package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backend"
)

// startsDaemon is a command that starts encore's daemon where none runs, and
// otherwise only asks it something. "encore daemon" would replace a running one.
var startsDaemon = []string{"encore", "namespace", "list"}

// daemonTimeout bounds it where encore does not end by itself.
const daemonTimeout = 30 * time.Second

// saysAuth is what encore says of a login. Where it comes to that, the daemon has
// answered, and needs none to run.
const saysAuth = "encore auth login"

// saysLate is what encore says after the 5 s that it gives its daemon to start. The
// daemon goes on starting, and may answer the next time.
const saysLate = "daemon: "

// startDaemon has the daemon started by a command that has no variable of this
// project. The daemon keeps the environment of the command that starts it, and
// gives it to the apps of all of the user's projects. files are the dotenv files
// of the commands that follow; without any variable of the project they may start
// it themselves.
func (r *run) startDaemon(ctx context.Context, reason string, files []string) error {
	if len(files) == 0 && len(r.base()) == 0 && len(r.variables()) == len(r.steering()) {
		return nil
	}
	command := strings.Join(startsDaemon, " ")
	res, err := r.askDaemon(ctx)
	if err == nil && res.ExitCode != 0 && !res.Interrupted && strings.Contains(res.Stderr, saysLate) {
		res, err = r.askDaemon(ctx)
	}
	switch {
	case err != nil:
		return r.failure(reason, command+", which starts encore's daemon", err)
	case res.Interrupted:
		return interrupted(command)
	case res.ExitCode == 0:
		return nil
	case strings.Contains(res.Stderr, saysAuth):
		backend.Logf(ctx, abi.LevelDebug, "%s: not logged in, but the daemon runs", command)
		return nil
	}
	e := r.failed(reason, fmt.Sprintf("cannot start encore's daemon without the variables of this project: %s ended with exit code %d", command, res.ExitCode))
	e.Hint = "run it in " + r.dir + " to see what is wrong"
	e.Output = end(res.Stderr)
	return e
}

func (r *run) askDaemon(ctx context.Context) (abi.ExecResult, error) {
	return backend.Exec(ctx, abi.ExecRequest{
		Argv: startsDaemon, Dir: r.dir, Env: r.steering(), Capture: true, TimeoutMS: daemonTimeout.Milliseconds(),
	})
}
